---
title: Check certificates and broker, and save the old state
requirements: [PRE-16, PRE-17, PRE-18, PRE-19, TLS-11, TLS-12, RMQ-14, STEP-17, STEP-19, DEF-71, DEF-73, DEF-74, DEF-80, DEF-82,
  DEF-94, DEF-95, DEF-96, DEF-98, DEF-105, DEF-113]
scope: server
when: rabbitmq is defined
path: rabbitmq/preflight.cmd
format: cmd
effect: run_script
phase: rabbitmq
order: 10
rollback: none
runbook:
  before:
    - 'Callback is turned off on every server; RabbitMQ runs.'
    - 'The seven certificate files lie in {{ server.rabbitmq.certificates | md_code }}.'
    - 'An OpenSSL of today is installed; the one inside Git for Windows is found by itself. For another one set the variable `CALLBACK_OPENSSL` to its full path, without quotes.'
  do:
    - 'Run `servers\{{ server.name }}\rabbitmq\preflight.cmd` as administrator. Days before, `preflight.cmd rehearse` runs the same checks and does not keep the state it finds as the way back.'
    - 'Compare the upstreams it prints with the inventory: an upstream that is not in the inventory stops when 5672 closes.'
  check: ['It ends with *All checks passed* and exit code 0. Stop here if it does not; nothing has changed.']
---
{% set script_title = "Checks certificates, service and broker, and saves the old state once" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Nothing on this server has changed." -%}
{% set files = ["ca_certificate.pem", "server_certificate.pem", "server_key.pem", "cert.p12", "client_key.p12",
  "client_certificate.pem", "client_key.pem"] -%}
{% include "rabbitmq/_rabbitmq/head" %}
set "CERTS={{ server.rabbitmq.certificates | cmd_set }}"
{% include "_cmd/openssl" %}
echo Folder of the service: %RABBITMQ_BASE%
echo Configuration file: %CONFIG%
echo ERLANG_HOME: %ERLANG_HOME%
"%SYSTEM%\findstr.exe" /i /l /c:"{{ rabbitmq.config_path | slashes | cmd_set }}" "%STATE%\service.txt" >nul
if "%errorlevel%"=="0" goto :service_knows_config
if not "%errorlevel%"=="1" goto :fail
echo NOTE: the service does not read this file yet; apply-config.cmd will install the service again.
:service_knows_config
{% for file in files %}
set "STEP=find {{ file }} in %CERTS%"
if not exist "%CERTS%\{{ file }}" goto :fail
{%- endfor %}
{% for file in ["cert.p12", "client_key.p12"] %}
set "STEP=open {{ file }} without a password"
call :open_p12 "%CERTS%\{{ file }}"
if not "%errorlevel%"=="0" goto :fail
{%- endfor %}
{% for side in ["server", "client"] %}
set "STEP=check that {{ side }}_certificate.pem has not expired"
"%CALLBACK_OPENSSL%" x509 -in "%CERTS%\{{ side }}_certificate.pem" -noout -checkend 0 >nul
if not "%errorlevel%"=="0" goto :fail
"%CALLBACK_OPENSSL%" x509 -in "%CERTS%\{{ side }}_certificate.pem" -noout -checkend 2592000 >nul
if not "%errorlevel%"=="0" echo NOTE: {{ side }}_certificate.pem expires within 30 days.

set "STEP=check the chain of {{ side }}_certificate.pem"
"%CALLBACK_OPENSSL%" verify -CAfile "%CERTS%\ca_certificate.pem" -untrusted "%CERTS%\{{ side }}_certificate.pem" "%CERTS%\{{ side }}_certificate.pem"
if not "%errorlevel%"=="0" goto :fail

set "STEP=check that {{ side }}_certificate.pem may act as a {{ side }} (extended key usage)"
"%CALLBACK_OPENSSL%" x509 -in "%CERTS%\{{ side }}_certificate.pem" -noout -purpose >"%STATE%\purpose.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /b /c:"SSL {{ side }} : Yes" "%STATE%\purpose.txt" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=check that {{ side }}_key.pem has no password and belongs to {{ side }}_certificate.pem"
"%CALLBACK_OPENSSL%" x509 -in "%CERTS%\{{ side }}_certificate.pem" -noout -pubkey >"%STATE%\certificate.pub"
if not "%errorlevel%"=="0" goto :fail
"%CALLBACK_OPENSSL%" pkey -in "%CERTS%\{{ side }}_key.pem" -passin pass: -pubout >"%STATE%\key.pub"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\fc.exe" /b "%STATE%\certificate.pub" "%STATE%\key.pub" >nul
if not "%errorlevel%"=="0" goto :fail
{% endfor %}
set "STEP=check that server_certificate.pem names {{ server.name | cmd_set }}, as other brokers ask for it"
"%CALLBACK_OPENSSL%" x509 -in "%CERTS%\server_certificate.pem" -noout -checkhost {{ server.name | cmd_arg }} >"%STATE%\host.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /c:"does match certificate" "%STATE%\host.txt" >nul
if not "%errorlevel%"=="0" goto :fail
rem unchecked: the words in the file say what it found
"%CALLBACK_OPENSSL%" x509 -in "%CERTS%\server_certificate.pem" -noout -checkhost {{ server.fqdn | cmd_arg }} >"%STATE%\host.txt"
"%SYSTEM%\findstr.exe" /c:"does match certificate" "%STATE%\host.txt" >nul
if "%errorlevel%"=="0" goto :names_full
if not "%errorlevel%"=="1" goto :fail
echo NOTE: server_certificate.pem does not name {{ server.fqdn | cmd_echo }}; clients that use this name will refuse it.
:names_full

{%- if server.rabbitmq.has_common_name %}

set "STEP=check that the Common Name of client_certificate.pem is {{ server.rabbitmq.login_user | cmd_set }}"
"%CALLBACK_OPENSSL%" x509 -in "%CERTS%\client_certificate.pem" -noout -subject -nameopt multiline >"%STATE%\subject.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /c:"commonName" "%STATE%\subject.txt" >"%STATE%\name.txt"
if not "%errorlevel%"=="0" goto :fail
rem RabbitMQ joins several Common Names to one name.
set "FOUND="
set "SEVERAL="
for /f "usebackq tokens=2,*" %%A in ("%STATE%\name.txt") do call :common_name "%%B"
if defined SEVERAL goto :fail
{%- else %}

set "STEP=check that the subject of client_certificate.pem is {{ server.rabbitmq.login_user | cmd_set }}"
"%CALLBACK_OPENSSL%" x509 -in "%CERTS%\client_certificate.pem" -noout -subject -nameopt RFC2253 >"%STATE%\subject.txt"
if not "%errorlevel%"=="0" goto :fail
set "FOUND="
for /f "usebackq tokens=1,* delims==" %%A in ("%STATE%\subject.txt") do set "FOUND=%%B"
{%- endif %}
if not "%FOUND%"=={{ server.rabbitmq.login_user | cmd_arg }} goto :fail

set "STEP=see that the registry answers"
"%REG%" query "HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment" >nul
if not "%errorlevel%"=="0" goto :fail
{% for name in ["RABBITMQ_NODE_PORT", "RABBITMQ_NODE_IP_ADDRESS"] %}
set "STEP=check that {{ name }} is not set; it would open the plain port again"
"%REG%" query "HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment" /v {{ name }} >nul 2>&1
if "%errorlevel%"=="0" goto :fail
{%- endfor %}
set "STEP=check that rabbitmq-env-conf.bat sets no port"
if not exist "%RABBITMQ_BASE%\rabbitmq-env-conf.bat" goto :no_settings
"%SYSTEM%\findstr.exe" /i "NODE_PORT NODE_IP_ADDRESS" "%RABBITMQ_BASE%\rabbitmq-env-conf.bat" >nul
if not "%errorlevel%"=="1" goto :fail
:no_settings

rem The tools log in to the broker with a cookie, a file in the home folder of whoever runs them.
set "STEP=compare the Erlang cookie of %USERNAME% with the one of the service"
if not exist "%USERPROFILE%\.erlang.cookie" goto :cookies_compared
if not exist "%SYSTEM%\config\systemprofile\.erlang.cookie" goto :cookie_1
set "COOKIE=%SYSTEM%\config\systemprofile"
"%SYSTEM%\fc.exe" /b "%USERPROFILE%\.erlang.cookie" "%SYSTEM%\config\systemprofile\.erlang.cookie" >nul
if "%errorlevel%"=="0" goto :cookies_compared
if not "%errorlevel%"=="1" goto :closed_cookie
goto :other_cookie
:cookie_1
if not exist "%SystemRoot%\.erlang.cookie" goto :cookie_2
set "COOKIE=%SystemRoot%"
"%SYSTEM%\fc.exe" /b "%USERPROFILE%\.erlang.cookie" "%SystemRoot%\.erlang.cookie" >nul
if "%errorlevel%"=="0" goto :cookies_compared
if not "%errorlevel%"=="1" goto :closed_cookie
goto :other_cookie
:cookie_2
:cookies_compared
rem What the service reads today and would not read any more is lost without a word.
set "STEP=see that no other file holds settings of the broker, which would get lost"
set "OTHER=rabbitmq.conf"
if exist "%RABBITMQ_BASE%\rabbitmq.conf" goto :other_file
if /i "%CONFIG%"=="%RABBITMQ_BASE%\rabbitmq.config" goto :one_file
"%SYSTEM%\findstr.exe" /i /l /c:"{{ rabbitmq.config_path | slashes | cmd_set }}" "%STATE%\service.txt" >nul
if "%errorlevel%"=="0" goto :one_file
if not "%errorlevel%"=="1" goto :fail
set "OTHER=rabbitmq.config"
if exist "%RABBITMQ_BASE%\rabbitmq.config" goto :other_file
set "OTHER=advanced.config"
if exist "%RABBITMQ_BASE%\advanced.config" goto :other_file
:one_file

set "STEP=ask the broker for its users; it must run, ERLANG_HOME and the Erlang cookie of this account must be right"
call "%CTL%" -q list_users --formatter json >"%STATE%\now-users.json"
if not "%errorlevel%"=="0" goto :fail
set "STEP=ask the broker for its permissions"
call "%CTL%" -q list_permissions -p / --formatter json >"%STATE%\now-permissions.json"
if not "%errorlevel%"=="0" goto :fail
set "STEP=ask the broker for its federation upstreams"
call "%CTL%" -q list_parameters -p / --formatter json >"%STATE%\now-parameters.json"
if not "%errorlevel%"=="0" goto :fail
set "STEP=ask the broker for its plugins"
call "%PLUGINS%" -q list -E -m >"%STATE%\now-plugins.txt"
if not "%errorlevel%"=="0" goto :fail
if not exist "%RABBITMQ_BASE%\enabled_plugins" goto :fail
set "STEP=check that the federation plugin is enabled"
"%SYSTEM%\findstr.exe" /b /c:"rabbitmq_federation" "%STATE%\now-plugins.txt" >nul
if not "%errorlevel%"=="0" goto :fail

rem The way back is tried before anything changes: the broker itself must be able to read what is saved here.
set "STEP=let the broker read the saved state; its service account needs access to %STATE%"
call "%CTL%" -q eval "[begin {ok, B} = file:read_file(F), true = is_list(rabbit_json:decode(B)) end || F <- [_1, _2, _3]], ok." "%STATE%\now-users.json" "%STATE%\now-permissions.json" "%STATE%\now-parameters.json" >nul
if not "%errorlevel%"=="0" goto :fail

if not exist "%CONFIG%" goto :no_config_yet
set "STEP=read the terms of the configuration file"
copy /y "%~dp0rabbitmq.config" "%RABBITMQ_BASE%\cbgen-bundle.config" >nul
if not "%errorlevel%"=="0" goto :fail
echo Settings of the old file that this bundle does not make; {% if rabbitmq.drop | length > 0 %}{{ rabbitmq.drop | join(sep=", ") | cmd_echo }} will go, the others stay:{% else %}they stay:{% endif %}
call "%CTL%" -q eval "{ok, [Old]} = file:consult(_1), {ok, [New]} = file:consult(_2), [{A, [element(1, T) || T <- S, not lists:keymember(element(1, T), 1, proplists:get_value(A, New, []))]} || {A, S} <- Old]." "%CONFIG%" "%RABBITMQ_BASE%\cbgen-bundle.config"
if not "%errorlevel%"=="0" goto :fail
{%- if rabbitmq.keep_list is defined %}
set "STEP=see that rabbitmq.keep and rabbitmq.drop of the inventory name every one of them"
call "%CTL%" -q eval "{ok, [Old]} = file:consult(_1), {ok, [New]} = file:consult(_2), Known = [binary_to_atom(D, utf8) || D <- binary:split(_3, <<44>>, [global])], [] = [element(1, T) || {A, S} <- Old, lists:keymember(A, 1, New), T <- S, not lists:keymember(element(1, T), 1, proplists:get_value(A, New, [])), not lists:member(element(1, T), Known)], ok." "%CONFIG%" "%RABBITMQ_BASE%\cbgen-bundle.config" {{ rabbitmq.keep_list | cmd_call_arg }}
if not "%errorlevel%"=="0" goto :fail
{%- endif %}
del "%RABBITMQ_BASE%\cbgen-bundle.config"
if exist "%RABBITMQ_BASE%\cbgen-bundle.config" goto :fail
:no_config_yet

set "STEP=list the federation upstreams"
echo Federation upstreams of this broker:
call "%CTL%" -q eval "{ok, B} = file:read_file(_1), [maps:get(atom_to_binary(name, utf8), M) || M <- rabbit_json:decode(B), maps:get(atom_to_binary(component, utf8), M) =:= atom_to_binary('federation-upstream', utf8)]." "%STATE%\now-parameters.json"
if not "%errorlevel%"=="0" goto :fail
if "%~1"=="rehearse" goto :passed

if exist "%STATE%\captured.txt" goto :passed
set "STEP=save the old state in %STATE%"
rem unchecked: what an earlier application saved, if anything; the next line asks
del /q "%STATE%\config-absent.txt" >nul 2>&1
if exist "%STATE%\config-absent.txt" goto :fail
{%- for file in ["users.json", "permissions.json", "parameters.json", "plugins.txt"] %}
copy /y "%STATE%\now-{{ file }}" "%STATE%\{{ file }}" >nul
if not "%errorlevel%"=="0" goto :fail
{%- endfor %}
"%REG%" export "%KEY%" "%STATE%\service.reg" /y "%VIEW%" >nul
if not "%errorlevel%"=="0" goto :fail
copy /y "%RABBITMQ_BASE%\enabled_plugins" "%STATE%\enabled_plugins" >nul
if not "%errorlevel%"=="0" goto :fail
copy /y {{ rabbitmq.json_path | cmd_arg }} "%STATE%\rabbitmq_config.json" >nul
if not "%errorlevel%"=="0" goto :fail
if not exist "%CONFIG%" goto :config_is_new
copy /y "%CONFIG%" "%STATE%\rabbitmq.config" >nul
if not "%errorlevel%"=="0" goto :fail
goto :config_saved
:config_is_new
echo absent>"%STATE%\config-absent.txt"
if not exist "%STATE%\config-absent.txt" goto :fail
:config_saved
echo captured>"%STATE%\captured.txt"
if not exist "%STATE%\captured.txt" goto :fail
if not exist "%STATE%\rolled-back.txt" goto :passed
del "%STATE%\rolled-back.txt"
if exist "%STATE%\rolled-back.txt" goto :fail

:passed
echo All checks passed.
endlocal
exit /b 0
{%- if server.rabbitmq.has_common_name %}

:common_name
if defined FOUND set "SEVERAL=1"
set "FOUND=%~1"
exit /b 0
{%- endif %}

:closed_cookie
echo %COOKIE%\.erlang.cookie or %USERPROFILE%\.erlang.cookie cannot be read, so nobody knows whether they are the same.
echo Give Administrators the right to read both, then run this script again.
goto :fail

:other_cookie
echo %COOKIE%\.erlang.cookie and %USERPROFILE%\.erlang.cookie differ, so the tools cannot log in to the broker.
echo Copy the one of the service over the one of %USERNAME%, then run this script again.
goto :fail

:other_file
echo This broker has a %RABBITMQ_BASE%\%OTHER%. With another configuration file its settings would no longer be read.
echo Bring them into %CONFIG%, or set overrides.rabbitmq_config_file to the file itself, and take %OTHER% away.
goto :fail

:open_p12
"%CALLBACK_OPENSSL%" pkcs12 -in "%~1" -noout -passin pass: >nul 2>&1
if "%errorlevel%"=="0" exit /b 0
rem OpenSSL 3 reads files with older ciphers only with this option.
"%CALLBACK_OPENSSL%" pkcs12 -legacy -in "%~1" -noout -passin pass: >nul 2>&1
if "%errorlevel%"=="0" exit /b 0
exit /b 1
{% include "rabbitmq/_rabbitmq/service" %}
{% include "_cmd/tail" %}
