---
title: Put rabbitmq.config in place and restart RabbitMQ
requirements: [RMQ-2, RMQ-20, STEP-18, STEP-20, DEF-80, DEF-87, DEF-98, DEF-99]
scope: server
when: rabbitmq is defined
path: rabbitmq/apply-config.cmd
format: cmd
effect: run_script
phase: rabbitmq
order: 55
breaks: [callbacks]
rollback: rabbitmq/rollback-rabbitmq.cmd
restarts: [RabbitMQ]
runbook:
  before:
    - '`apply-users.cmd`{% if server.rabbitmq.upstreams | length > 0 %} and `apply-upstreams.cmd`{% endif %} ended with success: with this file and without the users the broker starts and nobody can log in.'
    - 'Settings of the old file that are not in the new one are known and may go; compare them first.'
  do: ['Run `apply-config.cmd` as administrator: it puts the file in place, installs the service again when the service does not read that file yet, restarts RabbitMQ and waits until it answers.']
  check: ['It ends with success and prints port {{ rabbitmq.port }} as the only AMQP listener.']
  later: ['`post-check.cmd` of this server ends with success: a real TLS login works, plain 5672 is closed.']
---
{% set script_title = "Puts rabbitmq.config in place and restarts RabbitMQ" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Run rollback-rabbitmq.cmd to go back." -%}
{% include "rabbitmq/_rabbitmq/head" %}
{%- include "rabbitmq/_rabbitmq/captured" %}

rem With the new file only certificates log in. Without plugin or users nobody could.
set "STEP=see that apply-users.cmd was run: the plugin is enabled"
"%SYSTEM%\findstr.exe" /c:"rabbitmq_auth_mechanism_ssl" "%RABBITMQ_BASE%\enabled_plugins" >nul
if not "%errorlevel%"=="0" goto :fail
{%- for user in server.rabbitmq.users %}
set "STEP=see that apply-users.cmd was run: the user {{ user.name | cmd_set }} exists"
call "%CTL%" -q list_user_permissions {{ user.name | cmd_call_arg }} >nul
if not "%errorlevel%"=="0" goto :fail
{%- endfor %}

set "STEP=put rabbitmq.config in place"
if not exist "%~dp0rabbitmq.config" goto :fail
copy /y "%~dp0rabbitmq.config" "%CONFIG%" >nul
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\fc.exe" /b "%~dp0rabbitmq.config" "%CONFIG%" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=stop RabbitMQ"
call :stop_broker
if not "%errorlevel%"=="0" goto :fail

rem The service remembers its configuration file and listeners from the day it was installed.
set "STEP=install the service again, so that it reads the file"
"%SYSTEM%\findstr.exe" /c:"tcp_listeners" "%STATE%\service.txt" >nul
if "%errorlevel%"=="0" goto :install
"%SYSTEM%\findstr.exe" /i /l /c:"{{ rabbitmq.config_path | slashes | cmd_set }}" "%STATE%\service.txt" >nul
if "%errorlevel%"=="0" goto :installed
:install
call "%SBIN%\rabbitmq-service.bat" install
if not "%errorlevel%"=="0" goto :fail
set "STEP=see that the service reads the file now"
call :read_service
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /i /l /c:"{{ rabbitmq.config_path | slashes | cmd_set }}" "%STATE%\service.txt" >nul
if not "%errorlevel%"=="0" goto :fail
:installed

set "STEP=start RabbitMQ and wait until it answers"
call :start_broker
if not "%errorlevel%"=="0" goto :fail

set "STEP=see that the broker listens on port {{ rabbitmq.port }} with TLS only"
call "%CTL%" -q eval "[] = [L || L <- rabbit_networking:active_listeners(), element(3, L) =:= amqp], [_ | _] = [ok || L <- rabbit_networking:active_listeners(), element(3, L) =:= 'amqp/ssl', element(6, L) =:= {{ rabbitmq.port }}], ok."
if not "%errorlevel%"=="0" goto :fail

echo RabbitMQ runs with the new configuration, listening on port {{ rabbitmq.port }} for AMQP over TLS only.
endlocal
exit /b 0
{% include "rabbitmq/_rabbitmq/restart" %}
{%- include "rabbitmq/_rabbitmq/service" %}
{% include "_cmd/tail" %}
