"""`make rehearse`: plans and applies a team's repository in the sandbox, and derives the least-privilege roles for it."""
