---
title: Enable the management plugin of RabbitMQ again
requirements: [DEF-72]
scope: server
when: rabbitmq is defined and rabbitmq.disable_management_plugin
path: rabbitmq/rollback-management.cmd
format: cmd
effect: run_script
phase: verify
order: 76
rollback: none
runbook:
  do: ['Run `servers\{{ server.name }}\rabbitmq\rollback-management.cmd` as administrator.']
  check: ['It ends with success and lists the plugins that were enabled before.']
---
{% set script_title = "Enables exactly the plugins that disable-management.cmd saved" -%}
{% set script_machine = server.name -%}
{% set script_advice = "The script may be run again." -%}
{% include "rabbitmq/_rabbitmq/head" %}

set "STEP=see that disable-management.cmd has saved the set of plugins"
if exist "%STATE%\management-captured.txt" goto :management_saved
if not exist "%STATE%\management-rolled-back.txt" goto :fail
echo It was rolled back before. Nothing to do.
endlocal
exit /b 0
:management_saved

set "STEP=enable the saved plugins"
set "BROKEN="
rem A plugin that needs rabbitmq_management would enable it as well, and then it could not be noted by itself.
for /f "usebackq" %%A in ("%STATE%\management-plugins.txt") do call :enable_management "%%A"
for /f "usebackq" %%A in ("%STATE%\management-plugins.txt") do call :enable "%%A"
if defined BROKEN goto :fail

set "STEP=compare the set of plugins with the saved one"
call "%PLUGINS%" -q list -E -m >"%STATE%\now-plugins.txt"
if not "%errorlevel%"=="0" goto :fail
type "%STATE%\now-plugins.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\fc.exe" "%STATE%\management-plugins.txt" "%STATE%\now-plugins.txt" >nul
if not "%errorlevel%"=="0" goto :fail

rem The next disable-management.cmd saves the set it finds then.
set "STEP=note that this was rolled back"
move /y "%STATE%\management-captured.txt" "%STATE%\management-rolled-back.txt" >nul
if not "%errorlevel%"=="0" goto :fail
echo The plugins are enabled as before.
endlocal
exit /b 0

:enable_management
if not "%~1"=="rabbitmq_management" exit /b 0
:enable
if defined BROKEN exit /b 0
call "%PLUGINS%" -q enable "%~1"
if not "%errorlevel%"=="0" set "BROKEN=%~1"
exit /b 0
{% include "rabbitmq/_rabbitmq/service" %}
{% include "_cmd/tail" %}
