---
title: Restore what apply-report-connection.cmd changed
requirements: [DEF-103]
scope: deployment
when: sql.has_ole
path: sql/rollback-report-connection.cmd
format: cmd
effect: run_script
phase: database
order: 65
rollback: none
---
{% set script_title = "Restores what report-connection.sql changed" -%}
{% set script_machine = "any machine with sqlcmd" -%}
{% set script_advice = "The change is one transaction: what fails in it changes nothing. Correct the cause and run this script again." -%}
{% set state_name = "sql" -%}
{% set script_sql = "report-connection.rollback.sql" -%}
{% set script_secret = "" -%}
{% include "sql/_sql/run" %}
