---
title: Tell the broker
scope: server
path: x.cmd
format: cmd
effect: run_script
phase: rabbitmq
minutes: 1
rollback: none
---
call "%PROGRAM%" "name={{ server.name | cmd_arg }}" {{ server.name | cmd_call_arg }}
