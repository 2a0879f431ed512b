---
title: Forget the values that were saved in the database
requirements: [DEF-103, DEF-104, DEF-114]
scope: deployment
path: sql/purge-captured.cmd
format: cmd
effect: run_script
phase: verify
order: 95
rollback: one_way
runbook:
  before:
    - 'The change is accepted, and nobody will go back: afterwards the rollback scripts of the database fail, because nothing is left to restore; only a backup of the database goes back.'
  do:
    - 'Run `deployment\sql\purge-captured.cmd`, once for the whole installation. Until then the connection string of before lies in `dbo.cbgen_captured` of {{ sql.config_database | md_code }}, with its password where it had one; the password of now never does.'
  check:
    - 'The script ends with `purge-captured.sql was run`.'
  undo:
    - 'There is no way back from here but the backup of the database.'
---
{% set script_title = "Runs purge-captured.sql" -%}
{% set script_machine = "any machine with sqlcmd" -%}
{% set script_advice = "The change is one transaction: what fails in it changes nothing. Correct the cause and run this script again." -%}
{% set state_name = "sql" -%}
{% set script_sql = "purge-captured.sql" -%}
{% set script_secret = "" -%}
{% include "sql/_sql/run" %}
