---
title: Disable the management plugin of RabbitMQ
requirements: [RMQ-1, HARD-3, DEF-2, STEP-21, PORT-17, DEF-70, DEF-71, DEF-72]
scope: server
when: rabbitmq is defined and rabbitmq.disable_management_plugin
path: rabbitmq/disable-management.cmd
format: cmd
effect: run_script
phase: verify
order: 75
rollback: rabbitmq/rollback-management.cmd
runbook:
  before:
    - 'Everything else works. This is the last change: System Management API, Notification Server, Platform ToolKit, Peripheral Monitor and Core Monitor use port 15672 and lose it.'
  do: ['Run `servers\{{ server.name }}\rabbitmq\disable-management.cmd` as administrator. It saves the set of enabled plugins first; plugins that depend on this one go with it.']
  check: ['It ends with success, and nothing answers on port 15672.']
---
{% set script_title = "Saves the set of enabled plugins and disables rabbitmq_management" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Run servers\\" ~ server.name ~ "\\rabbitmq\\rollback-management.cmd to go back." -%}
{% include "rabbitmq/_rabbitmq/head" %}

set "STEP=save the set of enabled plugins"
if exist "%STATE%\management-captured.txt" goto :management_captured
call "%PLUGINS%" -q list -E -m >"%STATE%\management-plugins.txt"
if not "%errorlevel%"=="0" goto :fail
echo captured>"%STATE%\management-captured.txt"
if not exist "%STATE%\management-captured.txt" goto :fail
if not exist "%STATE%\management-rolled-back.txt" goto :management_captured
del "%STATE%\management-rolled-back.txt"
if exist "%STATE%\management-rolled-back.txt" goto :fail
:management_captured

set "STEP=disable rabbitmq_management"
call "%PLUGINS%" -q disable rabbitmq_management
if not "%errorlevel%"=="0" goto :fail

set "STEP=see that the plugin is gone"
call "%PLUGINS%" -q list -e -m >"%STATE%\now-plugins.txt"
if not "%errorlevel%"=="0" goto :fail
set "FOUND="
for /f "usebackq" %%A in ("%STATE%\now-plugins.txt") do call :compare "%%A"
if defined FOUND goto :fail

echo The management plugin is disabled.
endlocal
exit /b 0

:compare
if "%~1"=="rabbitmq_management" set "FOUND=1"
exit /b 0
{% include "rabbitmq/_rabbitmq/service" %}
{% include "_cmd/tail" %}
