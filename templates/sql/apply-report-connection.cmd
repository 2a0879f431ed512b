---
title: Change the connection string of the reporting database
requirements: [SQL-3, SQL-4, STEP-15, DEF-63, DEF-67, DEF-68, DEF-103, DEF-104, DEF-106]
scope: deployment
when: sql.has_ole
path: sql/apply-report-connection.cmd
format: cmd
effect: run_script
phase: database
order: 62
rollback: sql/rollback-report-connection.cmd
runbook:
  before:
    - 'You are logged in with a Windows account that may change {{ sql.config_database | md_code }} on {{ sql.server | md_code }}, on a machine with `sqlcmd`. Use this machine and this account for every command with `--deployment`, also to go back: what they save lies there and nowhere else.'
    - 'There is a backup of the database.'
  do:
    - 'Read `deployment\sql\report-connection.sql` first: the head of the file says what it changes. It changes exactly one row for each value, or nothing at all.'
    - '{% if not sql.ole.windows_authentication %}Open PowerShell as administrator in the unpacked bundle and hand over the password without writing it anywhere: `$env:{{ sql.ole.password_secret }} = (New-Object Net.NetworkCredential("", (Read-Host "Password" -AsSecureString))).Password`.{% else %}No password is needed: the services log in with their Windows accounts.{% endif %}'
    - 'Run `deployment\sql\apply-report-connection.cmd`, once for the whole installation{% if not sql.ole.windows_authentication %}, in the same window, then close it{% endif %}.'
  check:
    - 'The script ends with `report-connection.sql was run`. A second run changes nothing.'
  undo:
    - 'Run `deployment\sql\rollback-report-connection.cmd`: it restores what the apply script saved, and stops when somebody changed the value since.'
---
{% set script_title = "Runs report-connection.sql" -%}
{% set script_machine = "any machine with sqlcmd" -%}
{% set script_advice = "The change is one transaction: what fails in it changes nothing. Correct the cause and run this script again." -%}
{% set state_name = "sql" -%}
{% set script_sql = "report-connection.sql" -%}
{% set script_secret = "" if sql.ole.windows_authentication else sql.ole.password_secret -%}
{% include "sql/_sql/run" %}
