---
title: Stop the reverse proxy
requirements: [DEF-103, DEF-110]
scope: server
when: server.is_management
path: proxy/rollback-start.cmd
format: cmd
effect: run_script
phase: iis
order: 51
rollback: none
---
{% set script_title = "Stops the reverse proxy" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Correct the cause and run this script again." -%}
{% set state_name = "start" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/saved" %}
set "STEP=look for the service"
call :find_service {{ proxy.service_name | cmd_arg }}
if not "%errorlevel%"=="0" goto :fail
if not defined SERVICE goto :stopped
set "STEP=stop the service"
call :stop_service "%SERVICE%"
if not "%errorlevel%"=="0" goto :fail
set "STEP=keep Windows from starting the service by itself"
call :set_start "%SERVICE%" demand 0x3
if not "%errorlevel%"=="0" goto :fail
:stopped
{% include "_cmd/back" %}
echo The proxy does not run. Run servers\{{ server.name }}\iis\rollback-bindings.cmd so that IIS takes its ports back.
endlocal
exit /b 0
{% include "_cmd/find_service" %}
{%- include "_cmd/stop_service" %}
{%- include "_cmd/start_type" %}
{% include "_cmd/tail" %}
