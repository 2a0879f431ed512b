---
title: Start the services of Callback that ran
requirements: [STEP-11]
scope: server
path: services/start-callback.cmd
target: services below the product folder
format: cmd
effect: run_script
phase: verify
order: 5
undo_minutes: 3
rollback: services/stop-callback.cmd
runbook:
  do:
    - 'Run `servers\{{ server.name }}\services\start-callback.cmd`. It starts what `stop-callback.cmd` has noted and Windows did not start by itself.'
  check:
    - 'The script ends with `Callback runs`. Compare with the list of before: `sc.exe query type= service state= all` (in PowerShell `sc` alone is another command).'
  undo:
    - 'Run `servers\{{ server.name }}\services\stop-callback.cmd` again.'
---
{% set script_title = "Starts the services of Callback that ran before the change" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Look into the log of the service that does not start, then run this script again." -%}
{% set state_name = "services" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/state" %}
set "STEP=find out which services ran"
if exist "%STATE%\captured.txt" goto :noted
echo stop-callback.cmd has noted nothing on this server. Start its services in Services.
goto :fail
:noted
{% include "services/_services/start_noted" %}
{%- if rabbitmq is defined %}
rem What has just started connects to RabbitMQ first: the next step looks for its connections.
echo Waiting a minute for connections to RabbitMQ.
rem unchecked: only waits
"%SYSTEM%\ping.exe" -n 61 127.0.0.1 >nul
{%- endif %}
echo Callback runs.
endlocal
exit /b 0
{% include "services/_services/start_one" %}
{% include "_cmd/tail" %}
