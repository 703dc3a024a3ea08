# Ends a command of a pull request whose commit has a link that Atlantis or Terraform would follow out of the checkout, or
# write through. Runs in the checkout before every plan, as a pre-workflow hook. Terraform's own links, such as those into
# the plugin cache, aren't committed, so they are not checked.
set -eu

tree=$(git -c core.quotePath=false ls-tree -r HEAD)
checkout=$(pwd -P)
refused=$(
  printf '%s\n' "$tree" | sed -n 's/^120000 [^	]*	//p' | while IFS= read -r link; do
    case $link in
      # Git quotes a name with control characters, quotation marks or backslashes.
      \"*) echo "  $link: this check can't read a name with such characters" && continue ;;
      .terraform | */.terraform | *.tfplan) echo "  $link: Terraform or Atlantis writes to this name" && continue ;;
    esac
    # Fails if more than the last component doesn't exist.
    to=$(readlink -f -- "$link") || to=
    case $to in
      "$checkout"/.git | "$checkout"/.git/* | *.tfplan) ;;
      "$checkout" | "$checkout"/*) continue ;;
    esac
    echo "  $link -> $(readlink -- "$link")"
  done
)
if [ -n "$refused" ]; then
  echo "Nothing was run, because the commit has links that the server must not follow:"
  echo "$refused"
  echo "A link may lead to a file or a directory of the same repository, other than .git. Commit the file in its place, or change"
  echo "where the link leads."
  exit 1
fi
