---
title: Restore what apply-ws-configuration.cmd changed
requirements: [DEF-103]
scope: deployment
path: sql/rollback-ws-configuration.cmd
format: cmd
effect: run_script
phase: database
order: 55
rollback: none
---
{% set script_title = "Restores what ws-configuration.sql changed" -%}
{% set script_machine = "any machine with sqlcmd" -%}
{% set script_advice = "The change is one transaction: what fails in it changes nothing. Correct the cause and run this script again." -%}
{% set state_name = "sql" -%}
{% set script_sql = "ws-configuration.rollback.sql" -%}
{% set script_secret = "" -%}
{% include "sql/_sql/run" %}
