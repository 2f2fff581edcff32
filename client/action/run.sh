#!/usr/bin/env bash
# Submit the Job of JOB_FILE, follow its log, write a summary, and exit with its exit code.
set -uo pipefail

flags=()
while IFS= read -r flag; do
  [[ -n $flag ]] && flags+=("$flag")
done <<<"$JOB_FLAGS"

name=$(researcher submit -f "$JOB_FILE" ${flags[@]+"${flags[@]}"}) || exit
echo "name=$name" >>"$GITHUB_OUTPUT"
echo "Submitted $name"

cancel() {
  trap '' INT TERM
  [[ $DELETE_ON_CANCEL != true ]] || researcher delete "$name" --reason "the workflow was cancelled"
  exit 130
}
trap cancel INT TERM

# In the background, because bash handles a signal only when a foreground process has ended.
researcher logs -f "$name" &
wait $!
code=$?

echo "exit-code=$code" >>"$GITHUB_OUTPUT"
{
  echo "### Job $name"
  echo
  echo '```text'
  researcher get "$name"
  [[ $code == 0 ]] || researcher why "$name"
  echo '```'
} >>"$GITHUB_STEP_SUMMARY"
exit "$code"
