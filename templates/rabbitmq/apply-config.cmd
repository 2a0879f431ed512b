---
title: Put rabbitmq.config in place and restart RabbitMQ
requirements: [RMQ-2, RMQ-20, STEP-18, STEP-20, DEF-80, DEF-87, DEF-98, DEF-99, DEF-113]
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
    - 'Settings of the old file that this bundle does not make stay{% if rabbitmq.drop | length > 0 %}, but for {{ rabbitmq.drop | join(sep=", ") | md_code }}{% endif %}; `preflight.cmd` lists them. Comments of the old file go: the broker writes it anew. `preflight.cmd` has saved the old one.'
  do: ['Run `servers\{{ server.name }}\rabbitmq\apply-config.cmd` as administrator: it sets the terms of this bundle in the file that is there, or puts the file in place where there is none, installs the service again when the service does not read that file yet, restarts RabbitMQ and waits until it answers.']
  check: ['It ends with success and prints port {{ rabbitmq.port }} as the only AMQP listener.']
---
{% set script_title = "Puts rabbitmq.config in place and restarts RabbitMQ" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Run servers\\" ~ server.name ~ "\\rabbitmq\\rollback-rabbitmq.cmd to go back." -%}
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
if not exist "%CONFIG%" goto :new_file
rem The guide asks for changes in the section, not for another file: what the site has set besides stays.
set "STEP=set the terms of this bundle in the file that is there"
copy /y "%~dp0rabbitmq.config" "%RABBITMQ_BASE%\cbgen-bundle.config" >nul
if not "%errorlevel%"=="0" goto :fail
call "%CTL%" -q eval "{ok, [Old]} = file:consult(_1), {ok, [New]} = file:consult(_2), Drop = [binary_to_atom(D, utf8) || D <- binary:split(_3, <<44>>, [global])], App = fun(A, L) -> case lists:keyfind(A, 1, L) of {A, S} -> S; false -> [] end end, Both = [{A, S ++ [T || T <- App(A, Old), not lists:keymember(element(1, T), 1, S), not lists:member(element(1, T), Drop)]} || {A, S} <- New] ++ [S || S <- Old, not lists:keymember(element(1, S), 1, New)], ok = file:write_file(_4, unicode:characters_to_binary(io_lib:format([126, 116, 112, 46, 10], [Both]))), {ok, [Both]} = file:consult(_4), ok." "%CONFIG%" "%RABBITMQ_BASE%\cbgen-bundle.config" {{ rabbitmq.drop_list | cmd_call_arg }} "%RABBITMQ_BASE%\cbgen-both.config" >nul
if not "%errorlevel%"=="0" goto :fail
rem Copied, not moved: the file keeps who may read it.
copy /y "%RABBITMQ_BASE%\cbgen-both.config" "%CONFIG%" >nul
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\fc.exe" /b "%RABBITMQ_BASE%\cbgen-both.config" "%CONFIG%" >nul
if not "%errorlevel%"=="0" goto :fail
{% for file in ["bundle", "both"] -%}
del "%RABBITMQ_BASE%\cbgen-{{ file }}.config"
if exist "%RABBITMQ_BASE%\cbgen-{{ file }}.config" goto :fail
{% endfor -%}
goto :placed
:new_file
copy /y "%~dp0rabbitmq.config" "%CONFIG%" >nul
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\fc.exe" /b "%~dp0rabbitmq.config" "%CONFIG%" >nul
if not "%errorlevel%"=="0" goto :fail

:placed
rem Installed again, a service may come up as another node with an empty database.
set "STEP=note which node this is, and what it knows"
call "%CTL%" -q eval "{node(), rabbit_mnesia:dir(), lists:sort(rabbit_auth_backend_internal:list_users()), lists:sort(rabbit_runtime_parameters:list(<<47>>))}." >"%STATE%\node-before.txt"
if not "%errorlevel%"=="0" goto :fail

set "STEP=stop RabbitMQ"
call :stop_broker
if not "%errorlevel%"=="0" goto :fail

rem The service remembers its configuration file and listeners from the day it was installed.
set "STEP=install the service again, so that it reads the file"
"%SYSTEM%\findstr.exe" /c:"tcp_listeners" "%STATE%\service.txt" >nul
if "%errorlevel%"=="0" goto :install
if not "%errorlevel%"=="1" goto :fail
"%SYSTEM%\findstr.exe" /i /l /c:"{{ rabbitmq.config_path | slashes | cmd_set }}" "%STATE%\service.txt" >nul
if "%errorlevel%"=="0" goto :installed
if not "%errorlevel%"=="1" goto :fail
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

set "STEP=see that this is the same node with the same folder, users and upstreams"
call "%CTL%" -q eval "{node(), rabbit_mnesia:dir(), lists:sort(rabbit_auth_backend_internal:list_users()), lists:sort(rabbit_runtime_parameters:list(<<47>>))}." >"%STATE%\node-after.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\fc.exe" "%STATE%\node-before.txt" "%STATE%\node-after.txt"
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
