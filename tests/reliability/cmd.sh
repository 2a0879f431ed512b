#!/bin/sh
# Plays cmd.exe for the scripts of the test bundle: /d /s /c ""PATH" ARGUMENTS".
set -eu
line=${4#\"\"}
script=${line%%\"*}
name=$(basename "$script" .cmd)
root=${0%/C/Windows/System32/cmd.exe}
kept=$root/C/ProgramData/cbgen/acme/1.0.0/scripts
mkdir -p "$kept"
echo "$name says hello ${CANARY-}"
case $name in
apply-preflight) ;;
apply-*)
    name=${name#apply-}
    if [ ! -e "$kept/$name" ] && [ ! -e "$kept/$name.none" ]; then
        if [ -e "$root/C/World/$name" ]; then
            cp "$root/C/World/$name" "$kept/.$name" && mv "$kept/.$name" "$kept/$name"
        else
            : >"$kept/$name.none"
        fi
    fi
    printf new >"$root/C/World/$name"
    ;;
rollback-*)
    names=${name#rollback-}
    [ "$names" != registry ] || names="path tls crypto"
    for name in $names; do
        if [ -e "$kept/$name" ]; then
            cp "$kept/$name" "$root/C/World/$name"
            rm "$kept/$name"
        elif [ -e "$kept/$name.none" ]; then
            rm -f "$root/C/World/$name" "$kept/$name.none"
        fi
    done
    ;;
esac
