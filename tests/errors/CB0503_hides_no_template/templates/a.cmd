---
title: A
scope: server
path: a.cmd
format: cmd
effect: run_script
phase: verify
minutes: 1
rollback: none
runbook:
  do: ['Run `servers\{{ server.name }}\a.cmd`.']
---
@echo off
call "%PROGRAM%" {{ "a&b" | cmd_arg }}
