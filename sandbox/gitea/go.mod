module sandbox/gitea

go 1.26

require code.gitea.io/gitea v1.27.3
