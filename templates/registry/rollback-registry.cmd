---
title: Restore VHQMWSPATH
requirements: [DEF-103]
scope: server
when: server.is_core
path: registry/rollback-registry.cmd
format: cmd
effect: run_script
phase: registry
order: 61
rollback: none
---
{% set script_title = "Restores VHQMWSPATH as it was before apply-registry.cmd" -%}
{% set script_machine = server.name -%}
{% set script_advice = "The saved keys lie in the cbgen folder of ProgramData; correct the cause and run this script again." -%}
{% set state_name = "registry" -%}
{% set values = [["HKLM\\SOFTWARE\\WOW6432Node\\Virtual Hold", "VHQMWSPATH"]] -%}
{% include "registry/_registry/rollback" %}
