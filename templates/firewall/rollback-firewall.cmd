---
title: Remove the firewall rules of this server
requirements: [DEF-103]
scope: server
when: network.firewall
path: firewall/rollback-firewall.cmd
format: cmd
effect: run_script
phase: registry
order: 51
rollback: none
---
{% set script_title = "Deletes the firewall rules that apply-firewall.cmd added" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Correct the cause and run this script again." -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
set "NETSH=%SYSTEM%\netsh.exe"
set "STEP=see that the firewall answers"
rem Without its service every question fails, as if no rule were there.
"%NETSH%" advfirewall show currentprofile >nul
if not "%errorlevel%"=="0" goto :fail
{% for row in server.ports -%}
{% if row.direction != "outbound" and row.port != "dynamic" -%}
{% set action = "block" if row.local_only else "allow" -%}
{% set rule = "cbgen " ~ bundle.name ~ " " ~ action ~ " " ~ row.port ~ " " ~ row.application %}
set "STEP=delete the rule for port {{ row.port }} of {{ row.application | cmd_set }}"
rem unchecked: it also fails when the rule is not there; the next line looks
"%NETSH%" advfirewall firewall delete rule name={{ rule | cmd_arg }} >nul
"%NETSH%" advfirewall firewall show rule name={{ rule | cmd_arg }} >nul
if "%errorlevel%"=="0" goto :fail
{% endif -%}
{% endfor %}
echo The rules are gone.
endlocal
exit /b 0
{% include "_cmd/tail" %}
