---
title: Put RabbitMQ back as it was before this bundle
requirements: [DEF-87, DEF-95, DEF-98]
scope: server
when: rabbitmq is defined
path: rabbitmq/rollback-rabbitmq.cmd
format: cmd
effect: run_script
phase: rabbitmq
order: 90
rollback: none
restarts: [RabbitMQ]
runbook:
  before: ['Callback is turned off on every server. The other brokers go back too: a link needs both ends to speak the same way.']
  do: ['Run `servers\{{ server.name }}\rabbitmq\rollback-rabbitmq.cmd` as administrator, then start Callback.']
  check: ['It ends with success: files, service, plugins, upstreams and users are those that preflight saved. A password that a certificate user had before is not restored. To apply the bundle again, begin with `preflight.cmd`: it saves the state anew.']
---
{% set script_title = "Puts back what preflight.cmd saved: files, service, plugins, upstreams, users" -%}
{% set script_machine = server.name -%}
{% set script_advice = "The saved state is still in the folder it lies in; this script may be run again." -%}
{% include "rabbitmq/_rabbitmq/head" %}

set "STEP=find the saved state"
{% include "_cmd/saved_state" %}
rem Files first: a broker that does not start with the new file starts with the old one.
set "STEP=stop RabbitMQ"
call :stop_broker
if not "%errorlevel%"=="0" goto :fail

set "STEP=restore the configuration of the broker"
if exist "%STATE%\config-absent.txt" goto :config_was_absent
copy /y "%STATE%\rabbitmq.config" "%CONFIG%" >nul
if not "%errorlevel%"=="0" goto :fail
goto :config_restored
:config_was_absent
if not exist "%CONFIG%" goto :config_restored
del /q "%CONFIG%"
if exist "%CONFIG%" goto :fail
:config_restored

set "STEP=restore the configuration of Callback"
copy /y "%STATE%\rabbitmq_config.json" {{ rabbitmq.json_path | cmd_arg }} >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=restore the plugins"
copy /y "%STATE%\enabled_plugins" "%RABBITMQ_BASE%\enabled_plugins" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=restore the parameters of the service"
"%REG%" import "%STATE%\service.reg" "%VIEW%" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=start RabbitMQ and wait until it answers"
call :start_broker
if not "%errorlevel%"=="0" goto :fail

rem The old definitions go from the saved file into the broker without passing a command line.
set "STEP=restore the federation upstreams"
call "%CTL%" -q eval "{ok, B} = file:read_file(_1), G = fun(K, M) -> maps:get(atom_to_binary(K, utf8), M) end, U = atom_to_binary('federation-upstream', utf8), [ok = rabbit_runtime_parameters:parse_set(<<47>>, U, G(name, M), G(value, M), none) || M <- rabbit_json:decode(B), G(component, M) =:= U], ok." "%STATE%\parameters.json" >nul
if not "%errorlevel%"=="0" goto :fail
{%- for upstream in server.rabbitmq.upstreams %}
set "STEP=remove the upstream {{ upstream.name | cmd_set }} if it is new"
call "%CTL%" -q eval "{ok, B} = file:read_file(_1), G = fun(K, M) -> maps:get(atom_to_binary(K, utf8), M) end, U = atom_to_binary('federation-upstream', utf8), case [M || M <- rabbit_json:decode(B), G(component, M) =:= U, G(name, M) =:= _2] of [] -> rabbit_runtime_parameters:clear(<<47>>, U, _2, atom_to_binary(cbgen, utf8)), not_found = rabbit_runtime_parameters:lookup(<<47>>, U, _2), ok; [_] -> ok end." "%STATE%\parameters.json" {{ upstream.name | cmd_call_arg }} >nul
if not "%errorlevel%"=="0" goto :fail
{%- endfor %}
{%- for user in server.rabbitmq.users %}
set "STEP=restore or remove the user {{ user.name | cmd_set }}"
call "%CTL%" -q eval "{ok, A} = file:read_file(_1), {ok, B} = file:read_file(_2), G = fun(K, M) -> maps:get(atom_to_binary(K, utf8), M) end, W = atom_to_binary(cbgen, utf8), case [G(tags, M) || M <- rabbit_json:decode(A), G(user, M) =:= _3] of [] -> case rabbit_auth_backend_internal:lookup_user(_3) of {ok, _} -> rabbit_auth_backend_internal:delete_user(_3, W), ok; _ -> ok end; [T] -> rabbit_auth_backend_internal:set_tags(_3, T, W), case [M || M <- rabbit_json:decode(B), G(user, M) =:= _3] of [] -> rabbit_auth_backend_internal:clear_permissions(_3, <<47>>, W), ok; [P] -> rabbit_auth_backend_internal:set_permissions(_3, <<47>>, G(configure, P), G(write, P), G(read, P), W), ok end end." "%STATE%\users.json" "%STATE%\permissions.json" {{ user.name | cmd_call_arg }} >nul
if not "%errorlevel%"=="0" goto :fail
{%- endfor %}

set "STEP=list what is there now"
call "%CTL%" -q list_users
if not "%errorlevel%"=="0" goto :fail
call "%CTL%" -q list_parameters -p /
if not "%errorlevel%"=="0" goto :fail

rem The next preflight.cmd saves what it finds then; what was saved now is the state of the past.
{% include "_cmd/back" %}
echo RabbitMQ is as it was before.
endlocal
exit /b 0
{% include "rabbitmq/_rabbitmq/restart" %}
{%- include "rabbitmq/_rabbitmq/service" %}
{% include "_cmd/tail" %}
