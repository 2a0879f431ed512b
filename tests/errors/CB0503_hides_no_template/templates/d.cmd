---
title: A script with a part that has a mistake
scope: server
path: d.cmd
format: cmd
effect: run_script
phase: verify
minutes: 1
rollback: none
runbook:
  do: ['Run `d.cmd`.']
---
@echo off
{% include "_shared/part.cmd" %}
