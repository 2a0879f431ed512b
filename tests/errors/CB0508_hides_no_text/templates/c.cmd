---
title: A script whose way back nobody makes
scope: server
path: c.cmd
format: cmd
effect: run_script
phase: verify
minutes: 1
rollback: c-back.cmd
runbook:
  do: ['Run `c.cmd`.']
---
@echo off
exit /b 0
