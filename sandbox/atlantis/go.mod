module sandbox/atlantis

go 1.26

require github.com/runatlantis/atlantis v0.47.1
