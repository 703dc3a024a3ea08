# Ends a command of a pull request with a file that could end the server when it reads it. The server parses each project's
# configuration in its own process, before any requirement of the repository, to find the Terraform version. Its parser recurses
# for each level of nesting and each operator, and it evaluates some attributes, loops included. What is refused, and why nobody
# needs it (docs/upstream-parser.md has the measurements):
# - more than 2 MiB; a file of at most 32 KiB is too short to exhaust the parser's stack, whatever it contains;
# - in a larger one, brackets nested more than 500 deep, and more operators than a quarter of what the parser survives;
# - a `for` in an attribute that the server evaluates. Terraform allows no reference there, so it could only repeat constants;
# - syntax that this check can't follow, in a file that it has to read. Terraform refuses it too.
parsed_files='
function problem(text) {
  if (!reported[file]++) print "  " file ":" row ": " text
  skip = 1
}
function unreadable() { problem("the syntax is not valid here") }
function push(kind) {
  stack = stack kind
  if (length(stack) > 500) problem("brackets nested more than 500 deep")
}
function pop() { stack = substr(stack, 1, length(stack) - 1) }
function top() { return substr(stack, length(stack)) }
function evaluated(name,  depth, kind) {
  depth = length(stack)
  kind = block[1]
  if (kind == "terraform") return 1
  if (depth != 1) return 0
  if (kind == "module") return name == "source" || name == "version"
  if (kind == "output") return name != "value"
  if (kind == "provider") return name == "version" || name == "alias"
  if (kind == "variable") return 1
  return name == "provider"
}
# An unfinished comment is none for the parser.
function finish() { if (stack != "" || comment) unreadable() }
function begin() {
  stack = ""; heredocs = comment = skip = 0
  file = FILENAME; state = "item"
}
# The text of a string or heredoc: up to its end, or to what it interpolates.
function template(  at) {
  if (top() == "q") {
    if (!match(text, /^([^"\\$%]|\\.|\$\$\{|%%\{|\$[^{"\\$%]|%[^{"\\$%])+/)) RLENGTH = 0
  } else if (!match(text, /^([^$%]|\$\$\{|%%\{|\$[^{$%]|%[^{$%])+/)) RLENGTH = 0
  text = substr(text, RLENGTH + 1)
  if (text ~ /^[$%]\{/) { push("i"); text = substr(text, 3) }
  else if (text ~ /^"/ && top() == "q") { pop(); text = substr(text, 2) }
  else if (text != "") text = substr(text, 2)
  else if (top() == "q") unreadable()
}
function token(  word, kind) {
  kind = substr(text, 1, 1)
  if (match(text, /^[A-Za-z_][A-Za-z0-9_-]*/)) {
    word = substr(text, 1, RLENGTH)
    text = substr(text, RLENGTH + 1)
    value = 1
    if (state == "item") { name = word; state = "header" }
    else if (state == "expression" && word == "for" && checks)
      problem("a for in " name ", which the server evaluates: it can only be a constant")
    return
  }
  if (kind == "\"") { text = substr(text, 2); if (state == "item") unreadable(); value = 1; push("q"); return }
  if (state == "expression" && match(text, /^<<-?[A-Za-z_][A-Za-z0-9_-]*\r?$/)) {
    marker[++heredocs] = substr(text, 3)
    gsub(/^-|\r$/, "", marker[heredocs])
    push("h"); text = ""
    return
  }
  text = substr(text, 2)
  if (state == "header" && kind == "=") { checks = evaluated(name); state = "expression"; base = length(stack); value = 0 }
  else if (state == "header" && kind == "{") { push("B"); block[length(stack)] = name; opened[length(stack)] = row; state = "item" }
  else if (state == "item" && kind == "}" && top() == "B") pop()
  else if (state != "expression") unreadable()
  else if (index("([{", kind)) { push(kind); value = 0 }
  else if (index(")]}", kind)) {
    # Only a block of one line ends behind an attribute.
    if (length(stack) == base && kind == "}" && top() == "B" && value && opened[base] == row) { pop(); state = "item" }
    else if (length(stack) > base && index("([{i", top()) && (kind == ")" ? top() == "(" : kind == "]" ? top() == "[" : index("{i", top()))) { pop(); value = 1 }
    else unreadable()
  } else value = kind ~ /[0-9]/
}
FNR == 1 { if (NR > 1) finish(); begin() }
END { finish() }
{ row = FNR }
skip { next }
length($0) > 65536 { problem("a line of more than 64 KiB"); next }
{
  text = $0
  if (top() == "h") {
    line = text
    gsub(/^[ \t]+|[ \t\r]+$/, "", line)
    if (line == marker[heredocs]) { heredocs--; pop(); text = "" }
  }
  while (text != "" && !skip) {
    if (comment) {
      if (at = index(text, "*/")) { comment = 0; text = substr(text, at + 2) } else text = ""
    } else if (top() == "q" || top() == "h") template()
    else if (match(text, /^[ \t\r]+/)) text = substr(text, RLENGTH + 1)
    else if (text ~ /^(#|\/\/)/) text = ""
    else if (text ~ /^\/\*/) { comment = 1; text = substr(text, 3) }
    else token()
  }
  if (top() == "q" && !skip) unreadable()
  else if (state == "expression" && length(stack) == base && !comment) state = "item"
  else if (state == "header" && !comment) unreadable()
}'

large='for file; do
  [ -f "$file" ] || continue
  size=$(head -c 2097153 <"$file" | wc -c)
  [ "$size" -le 2097152 ] || { echo "  $file: more than 2 MiB"; continue; }
  [ "$size" -gt 32768 ] || continue
  case $file in
    *.json)
      sed "s/\"\([^\"\\\\]\|\\\\.\)*\"//g" <"$file" | tr -cd "][}{" | fold -w 4096 | awk "{
        for (at = 1; at <= length(\$0); at++) if ((depth += index(\"[{\", substr(\$0, at, 1)) ? 1 : -1) > 500) exit 1
      }" || echo "  $file: brackets nested more than 500 deep" ;;
    *)
      awk "$parsed_files" "$file"
      for limit in "!=20000" "?=20000" "*=20000" "%=20000" "-=60000" "+/&|<>=60000"; do
        [ "$(tr -cd -- "${limit%=*}" <"$file" | wc -c)" -le "${limit##*=}" ] ||
          echo "  $file: more than ${limit##*=} of the characters ${limit%=*}"
      done ;;
  esac
done'
refused=$(
  export LC_ALL=C parsed_files
  find . -path ./.git -prune -o ! -type d -name '*
*' -exec echo '  a line break is in the name of' {} +
  # Names begin with ./, so that awk takes none for an assignment. A link's own size says nothing.
  find . -path ./.git -prune -o ! -type d \( -name '*.tf' -o -name '*.tofu' -o -name '*.tf.json' -o -name '*.tofu.json' \) \
    \( -type l -o -size +32k \) -exec sh -c "$large" check {} +
  { find . -path ./.git -prune -o ! -type d \( -name '*.tf' -o -name '*.tofu' \) -exec grep -lsw for {} + || :; } |
    tr '\n' '\0' | xargs -0 -r awk "$parsed_files"
)
if [ -n "$refused" ]; then
  echo "Nothing was run, because the server itself would read these files, and they could end it:"
  echo "$refused"
  echo "Split a large file, or write the value of a variable, a version or a source as a constant."
  exit 1
fi
