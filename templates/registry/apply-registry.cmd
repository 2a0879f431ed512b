---
title: Import VHQMWSPATH, with the old value saved first
requirements: [REG-1, REG-2, DEF-43, DEF-103, STEP-10]
scope: server
when: server.is_core
path: registry/apply-registry.cmd
format: cmd
effect: run_script
phase: registry
order: 60
rollback: registry/rollback-registry.cmd
runbook:
  before:
    - 'You have a command prompt with administrator rights on this server.'
  do:
    - 'Run `servers\{{ server.name }}\registry\apply-registry.cmd`.'
  check:
    - 'The script ends with `All values are in place`.'
  undo:
    - 'Run `servers\{{ server.name }}\registry\rollback-registry.cmd`: it restores the old value, or deletes it when there was none.'
---
{% set script_title = "Imports VHQMWSPATH, with the old value saved first" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Correct the cause and run this script again, or run servers\\" ~ server.name ~ "\\registry\\rollback-registry.cmd to go back." -%}
{% set state_name = "registry" -%}
{% set files = ["vhqmwspath.reg"] -%}
{% set values = [["HKLM\\SOFTWARE\\WOW6432Node\\Virtual Hold", "VHQMWSPATH", "REG_SZ", server.vhqmws_url]] -%}
{% include "registry/_registry/apply" %}
