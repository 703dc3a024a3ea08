"""The load balancer: listener rules, certificate and sign-in."""
