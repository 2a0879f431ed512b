---
title: Another way to verify
scope: bundle
path: verify.cmd
format: cmd
effect: read
phase: prepare
rollback: none
---
@echo off
setlocal EnableExtensions DisableDelayedExpansion
echo Ask the release desk.
endlocal
exit /b 1
