#!/usr/bin/env bash
# Verify a submission the way the rounds' own scripts do: the package, the results, the repository.
#
#   examples/verify_submission.sh USAGE RULESET SUBMISSION
#   examples/verify_submission.sh training 6.1.0 examples/submission/Example_Lab
#
# The options in SUBMISSION/package_checker_params, one on each line and without dashes, go to the package checker.
# PYTHON names the Python (default: python3). Log files and nothing else are written, into the working folder.
# Exit code: 0 all three checks passed, 1 at least one did not.
set -u

if [ $# -ne 3 ]; then
  echo "usage: $0 USAGE RULESET SUBMISSION" >&2
  exit 2
fi
usage=$1 ruleset=$2 submission=$3
failed=0

check() {
  local module=$1
  shift
  "${PYTHON:-python3}" -m "mlperf_logging.$module" "$submission" "$usage" "$ruleset" "$@" || failed=1
}

options=()
if [ -f "$submission/package_checker_params" ]; then
  while read -r name || [ -n "$name" ]; do # the last line may lack its end
    if [ -n "$name" ]; then options+=("--$name"); fi
  done < "$submission/package_checker_params"
fi

check package_checker ${options[@]+"${options[@]}"}
check result_summarizer
check repo_checker
exit $failed
