#!/bin/sh
# Reviews a change of inventories: in a pipeline of GitHub, GitLab or Azure, before a commit, or by hand.
#
#   cbgen-review.sh check      findings of every inventory, as annotations where the platform has them
#   cbgen-review.sh sarif      the same findings as findings.sarif
#   cbgen-review.sh tree       whether the committed output is what the inventories compile to
#   cbgen-review.sh diff       what the change does to each server: review.md and review.html
#   cbgen-review.sh bundles    the archives engineers apply
#   cbgen-review.sh comment    puts review.md under the pull or merge request
#   cbgen-review.sh all        check, sarif, tree, diff, bundles; a failing step does not stop the others
#
# Status: 0 nothing is wrong, 1 findings, 2 a step could not do its work. Differences between the two sides are what a
# review is for, so they alone are 0.
#
# Settings, all optional: CBGEN (the program), CBGEN_INVENTORIES (folder, default inventories), CBGEN_OUTPUT (folder of
# the committed output, default out; empty: none is committed), CBGEN_TEMPLATES (folder for --templates), CBGEN_DENY
# (warnings), CBGEN_BASE (revision to compare with, default: the target branch), CBGEN_REPORTS (default cbgen-review).
set -u

cbgen=${CBGEN:-cbgen}
folder=${CBGEN_INVENTORIES:-inventories}
output=${CBGEN_OUTPUT-out}
reports=${CBGEN_REPORTS:-cbgen-review}

if [ "${GITHUB_ACTIONS:-}" = true ]; then
    platform=github
elif [ "${GITLAB_CI:-}" = true ]; then
    platform=gitlab
elif [ -n "${TF_BUILD:-}" ]; then
    platform=azure
else
    platform=none
fi

say() { printf '%s\n' "$*"; }
complain() { printf 'cbgen-review: %s\n' "$*" >&2; }

# The revision whose inventories are the old side: where this change left the target branch.
base() {
    if [ -n "${CBGEN_BASE:-}" ]; then
        target=$CBGEN_BASE
    elif [ -n "${GITHUB_BASE_REF:-}" ]; then
        target=origin/$GITHUB_BASE_REF
    elif [ -n "${CI_MERGE_REQUEST_TARGET_BRANCH_NAME:-}" ]; then
        target=origin/$CI_MERGE_REQUEST_TARGET_BRANCH_NAME
    elif [ -n "${SYSTEM_PULLREQUEST_TARGETBRANCH:-}" ]; then
        target=origin/${SYSTEM_PULLREQUEST_TARGETBRANCH#refs/heads/}
    else
        target=origin/main
    fi
    if ! git rev-parse --quiet --verify --end-of-options "$target^{commit}" >/dev/null; then
        complain "the revision $target is not here; fetch the target branch with its whole history"
        return 2
    fi
    if ! fork=$(git merge-base "$target" HEAD); then
        complain "$target and HEAD have no common commit; fetch the whole history"
        return 2
    fi
    git rev-parse --short=12 "$fork"
}

# Workflow commands of Azure Pipelines from the short form; a line of another form stays as it is.
azure_annotations() {
    one='\([^:;]*\):\([0-9]*\):\([0-9]*\): \(error\|warning\)\[\(CB[0-9]*\)\]: '
    file='\([^:;]*\): \(error\|warning\)\[\(CB[0-9]*\)\]: '
    sed -e "s/^$one/##vso[task.logissue type=\4;sourcepath=\1;linenumber=\2;columnnumber=\3;code=\5]/;t" \
        -e "s/^$file/##vso[task.logissue type=\2;sourcepath=\1;code=\3]/"
}

# Runs cbgen and prints its findings as the platform wants them: `all`, or `errors` where `check` printed the warnings.
annotated() {
    which=$1
    shift
    case $platform-$which in
        github-*) format=github ;;
        none-all) format=human ;;
        *) format=short ;;
    esac
    "$cbgen" "$@" --message-format "$format" >"$reports/log" 2>&1
    status=$?
    if [ "$which" = errors ]; then
        grep -v -e ': warning\[' -e '^::warning ' "$reports/log" >"$reports/log.errors"
        mv "$reports/log.errors" "$reports/log"
    fi
    if [ "$platform" = azure ]; then
        azure_annotations <"$reports/log"
    else
        cat "$reports/log"
    fi
    rm -f "$reports/log"
    return "$status"
}

step_check() {
    annotated all check ${CBGEN_DENY:+--deny "$CBGEN_DENY"} "$@"
}

step_sarif() {
    "$cbgen" check "$@" --message-format sarif 2>"$reports/findings.sarif"
    status=$?
    say "findings: $reports/findings.sarif"
    # Findings are the business of `check`; here only the document counts.
    [ "$status" -ne 1 ] || status=0
    return "$status"
}

step_tree() {
    if [ -z "$output" ]; then
        say "CBGEN_OUTPUT is empty: no committed output to compare"
        return 0
    fi
    annotated errors build --check --output "$output" "$@"
    status=$?
    if [ "$status" -eq 1 ]; then
        complain "$output is not what the inventories compile to; run: cbgen build $folder/*.yaml, and commit $output"
    fi
    return "$status"
}

step_diff() {
    fork=$(base) || return 2
    if ! git cat-file -e "$fork:./$folder" 2>/dev/null; then
        say "There is no folder $folder at $fork: every server is new." | tee "$reports/review.md"
        return 0
    fi
    set -- "git:$fork:$folder" "$folder" ${CBGEN_TEMPLATES:+--templates "$CBGEN_TEMPLATES"}
    worst=0
    for kind in markdown:review.md html:review.html text:review.txt; do
        "$cbgen" diff "$@" --format "${kind%%:*}" --message-format short \
            >"$reports/${kind##*:}" 2>"$reports/diff.txt"
        status=$?
        # 1 is said of differences, and of a side that does not compile. Only the new side's mistakes are findings: a
        # request that repairs an inventory must pass.
        if [ "$status" -eq 1 ] && ! grep 'error\[CB' "$reports/diff.txt" | grep -qv "git:$fork:"; then
            status=0
        fi
        [ "$status" -le "$worst" ] || worst=$status
    done
    grep -v ': warning\[' "$reports/diff.txt" >&2
    rm -f "$reports/diff.txt"
    if [ ! -s "$reports/review.md" ]; then
        say "There is no review: one of the two sides cannot be compiled or read. See the findings." >"$reports/review.md"
    fi
    cat "$reports/review.txt"
    case $platform in
        github) cat "$reports/review.md" >>"${GITHUB_STEP_SUMMARY:-/dev/null}" ;;
        azure) say "##vso[task.uploadsummary]$(pwd)/$reports/review.md" ;;
    esac
    return "$worst"
}

step_bundles() {
    work=$reports/work
    rm -rf "$work" "$reports/bundles"
    annotated errors build --output "$work" "$@"
    status=$?
    if [ "$status" -eq 0 ]; then
        mkdir -p "$reports/bundles"
        mv "$work"/*.zip "$work"/*.zip.sha256 "$reports/bundles/" || status=2
        (cd "$reports/bundles" && cat ./*.zip.sha256)
    fi
    rm -rf "$work"
    return "$status"
}

step_comment() {
    if [ ! -s "$reports/review.md" ]; then
        complain "there is no $reports/review.md; run the step diff first"
        return 2
    fi
    case $platform in
        github)
            gh pr comment "${CBGEN_PULL_REQUEST:?number of the pull request}" \
                --edit-last --create-if-none --body-file "$reports/review.md" || return 2
            ;;
        gitlab)
            # The token goes through a pipe: arguments can be seen by every process of the machine.
            printf 'PRIVATE-TOKEN: %s\n' "${CBGEN_GITLAB_TOKEN:?token that may write notes}" | curl \
                --fail --silent --show-error --output /dev/null --header @- \
                --data-urlencode "body@$reports/review.md" \
                "$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes" || return 2
            ;;
        *)
            complain "no comment can be written here; the review is $reports/review.md"
            return 2
            ;;
    esac
}

main() {
    step=${1:-all}
    case $step in
        check | sarif | tree | diff | bundles | comment | all) ;;
        *)
            complain "unknown step $step; the steps are check, sarif, tree, diff, bundles, comment, all"
            return 2
            ;;
    esac
    mkdir -p "$reports" || return 2
    set --
    for inventory in "$folder"/*.yaml "$folder"/*.yml; do
        [ ! -f "$inventory" ] || set -- "$@" "$inventory"
    done
    if [ $# -eq 0 ]; then
        complain "there is no inventory $folder/*.yaml or *.yml here"
        return 2
    fi
    set -- ${CBGEN_TEMPLATES:+--templates "$CBGEN_TEMPLATES"} "$@"
    [ "$step" != all ] || step="check sarif tree diff bundles"
    end=0
    for one in $step; do
        say "== $one"
        "step_$one" "$@"
        status=$?
        # The shell has numbers of its own, for example 127 for a program that is not there.
        [ "$status" -le 2 ] || status=2
        [ "$status" -le "$end" ] || end=$status
    done
    return "$end"
}

main "$@"
