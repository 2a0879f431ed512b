---
title: Set the addresses of the configuration web services
requirements: [SQL-1, SQL-2, SQL-6, STEP-10, DEF-45, DEF-67, DEF-103]
scope: deployment
path: sql/apply-ws-configuration.cmd
format: cmd
effect: run_script
phase: database
order: 52
rollback: sql/rollback-ws-configuration.cmd
runbook:
  before:
    - 'You are logged in with a Windows account that may change {{ sql.config_database | md_code }} on {{ sql.server | md_code }}, on a machine with `sqlcmd`. Use this machine and this account for every command with `--deployment`, also to go back: what they save lies there and nowhere else.'
    - 'There is a backup of the database.'
  do:
    - 'Read `deployment\sql\ws-configuration.sql` first: the head of the file says what it changes. It changes exactly one row for each value, or nothing at all.'
    - 'Run `deployment\sql\apply-ws-configuration.cmd`, once for the whole installation.'
  check:
    - 'The script ends with `ws-configuration.sql was run`. A second run changes nothing.'
  undo:
    - 'Run `deployment\sql\rollback-ws-configuration.cmd`: it restores what the apply script saved, and stops when somebody changed the value since.'
---
{% set script_title = "Runs ws-configuration.sql" -%}
{% set script_machine = "any machine with sqlcmd" -%}
{% set script_advice = "The change is one transaction: what fails in it changes nothing. Correct the cause and run this script again." -%}
{% set state_name = "sql" -%}
{% set script_sql = "ws-configuration.sql" -%}
{% set script_secret = "" -%}
{% include "sql/_sql/run" %}
