---
title: Open and close ports of this server
requirements: [DEF-6, DEF-56, DEF-4, DEF-8, HARD-5, DEF-103]
scope: server
when: network.firewall
path: firewall/apply-firewall.cmd
target: Windows Firewall
format: cmd
effect: run_script
phase: registry
order: 50
rollback: firewall/rollback-firewall.cmd
runbook:
  before:
    - 'The port table of this server in this runbook is agreed upon. A blocking rule wins over every allowing rule, also over those of others.'
    - 'Rules of an earlier version whose port is no longer listed stay; run the `rollback-firewall.cmd` of that version first.'
  do:
    - 'Run `firewall\apply-firewall.cmd`. All its rules are called {{ ("cbgen " ~ bundle.name ~ " ...") | md_code }}.'
  check:
    - 'The script ends with `All rules are in place`.'
  undo:
    - 'Run `firewall\rollback-firewall.cmd`: it deletes exactly these rules.'
---
{% set script_title = "Adds the firewall rules of this server" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Correct the cause and run this script again, or run rollback-firewall.cmd to go back." -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
set "NETSH=%SYSTEM%\netsh.exe"
{% for row in server.ports -%}
{% if row.direction != "outbound" and row.port != "dynamic" -%}
{% set action = "block" if row.local_only else "allow" -%}
{% set rule = "cbgen " ~ bundle.name ~ " " ~ action ~ " " ~ row.port ~ " " ~ row.application %}
rem {{ row.purpose | cmd_rem }}
set "STEP={{ action }} port {{ row.port }} for {{ row.application | cmd_set }}"
"%NETSH%" advfirewall firewall show rule name={{ rule | cmd_arg }} >nul
if not "%errorlevel%"=="0" goto :new_{{ loop.index }}
"%NETSH%" advfirewall firewall delete rule name={{ rule | cmd_arg }} >nul
if not "%errorlevel%"=="0" goto :fail
:new_{{ loop.index }}
"%NETSH%" advfirewall firewall add rule name={{ rule | cmd_arg }} dir=in action={{ action }} enable=yes profile=any protocol={{ row.protocol }} localport={{ row.port }} >nul
if not "%errorlevel%"=="0" goto :fail
"%NETSH%" advfirewall firewall show rule name={{ rule | cmd_arg }} >nul
if not "%errorlevel%"=="0" goto :fail
{% elif row.direction != "outbound" %}
echo NOTE: {{ row.application | cmd_echo }} has no fixed port range in the inventory, so it has no rule. Set network.erlang_ports.
{% endif -%}
{% endfor %}
echo All rules are in place.
endlocal
exit /b 0
{% include "_cmd/tail" %}
