---
title: Prove that RabbitMQ works over TLS with certificates only
requirements: [STEP-18, STEP-19, STEP-20, DEF-99, RMQ-14, RMQ-20, RMQ-5, RMQ-6, RMQ-7, RMQ-9, RMQ-11, RMQ-21, HARD-6, TLS-9, TLS-11, DEF-76, DEF-80, DEF-94, DEF-96]
scope: server
when: rabbitmq is defined
path: rabbitmq/post-check.cmd
format: cmd
effect: run_script
phase: verify
order: 40
rollback: none
runbook:
  before: ['Every broker and Callback run with their new configuration for at least one minute.']
  do: ['Run `servers\{{ server.name }}\rabbitmq\post-check.cmd` as administrator. It changes nothing and may be run again.']
  check: ['It ends with *RabbitMQ works*: TLS 1.2 with the certificate is accepted, without a certificate refused, 5672 is closed, every user is connected with `EXTERNAL`{% if server.rabbitmq.upstreams | length > 0 %}, and every federation link runs{% endif %}.']
  undo: ['If it fails and the cause is not found in time: run `servers\{{ server.name }}\rabbitmq\rollback-rabbitmq.cmd`, and on every other server the one in the folder of that server.']
---
{% set script_title = "Checks RabbitMQ with real TLS connections; changes nothing" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Run servers\\" ~ server.name ~ "\\rabbitmq\\rollback-rabbitmq.cmd, and on every other server the one in the folder of that server, to go back." -%}
{% include "rabbitmq/_rabbitmq/head" %}
set "CERTS={{ server.rabbitmq.certificates | cmd_set }}"
{% include "_cmd/openssl" %}
rem The broker's own TLS client sends the whole chain in the file, as federation does; s_client would send the first
rem certificate only.
set "STEP=connect with TLS 1.2 and the client certificate"
call "%CTL%" -q eval "[H, A, C, K] = [binary_to_list(B) || B <- [_1, _2, _3, _4]], {ok, S} = ssl:connect(H, {{ rabbitmq.port }}, [{cacertfile, A}, {certfile, C}, {keyfile, K}, {verify, verify_peer}, {server_name_indication, H}, {versions, ['tlsv1.2']}], 20000), ssl:close(S)." {{ server.name | cmd_call_arg }}
{%- for file in ["ca_certificate.pem", "client_certificate.pem", "client_key.pem"] %} {{ (server.rabbitmq.certificates_slashed ~ "/" ~ file) | cmd_call_arg }}{% endfor %}
if not "%errorlevel%"=="0" goto :fail

set "STEP=see that a client without certificate is refused"
"%CALLBACK_OPENSSL%" s_client -connect {{ (server.name ~ ":" ~ rabbitmq.port) | cmd_arg }} -servername {{ server.name | cmd_arg }} -tls1_2 -CAfile "%CERTS%\ca_certificate.pem" -verify_hostname {{ server.name | cmd_arg }} <nul >"%STATE%\refused.txt" 2>&1
if "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /i /c:"handshake failure" /c:"certificate required" "%STATE%\refused.txt" >nul
if not "%errorlevel%"=="0" goto :fail
set "STEP=see that the chain and the name of the broker certificate hold, as OpenSSL judges"
"%SYSTEM%\findstr.exe" /c:"Verify return code: 0 (ok)" "%STATE%\refused.txt" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=see that nothing listens on port 5672"
"%SYSTEM%\netstat.exe" -an -p TCP >"%STATE%\netstat.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /r /c:":5672  *0\.0\.0\.0:0 " "%STATE%\netstat.txt" >nul
if not "%errorlevel%"=="1" goto :fail
"%SYSTEM%\netstat.exe" -an -p TCPv6 >"%STATE%\netstat.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /r /c:":5672  *\[::\]:0 " "%STATE%\netstat.txt" >nul
if not "%errorlevel%"=="1" goto :fail

set "STEP=list the connections"
call "%CTL%" -q list_connections user peer_cert_subject auth_mechanism ssl_protocol >"%STATE%\connections.txt"
if not "%errorlevel%"=="0" goto :fail
type "%STATE%\connections.txt"
if not "%errorlevel%"=="0" goto :fail
{%- for user in server.rabbitmq.users %}
set "STEP=find a connection of {{ user.name | cmd_set }} with EXTERNAL and TLS 1.2"
"%SYSTEM%\findstr.exe" /b /l /c:"{{ user.name | cmd_set }}" "%STATE%\connections.txt" >"%STATE%\connection.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /c:"EXTERNAL" "%STATE%\connection.txt" >"%STATE%\external.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /c:"tlsv1.2" "%STATE%\external.txt" >nul
if not "%errorlevel%"=="0" goto :fail
{%- endfor %}
{%- if server.rabbitmq.upstreams | length > 0 %}

set "STEP=see that no federation link is down"
call "%CTL%" -q federation_status
if not "%errorlevel%"=="0" goto :fail
{%- for upstream in server.rabbitmq.upstreams %}
set "STEP=see that the links of {{ upstream.name | cmd_set }} run"
call "%CTL%" -q eval "true = lists:any(fun(L) -> proplists:get_value(upstream, L) =:= _1 end, rabbit_federation_status:status()), [] = [L || L <- rabbit_federation_status:status(), proplists:get_value(upstream, L) =:= _1, proplists:get_value(status, L) =/= running], ok." {{ upstream.name | cmd_call_arg }}
if not "%errorlevel%"=="0" goto :fail
{%- endfor %}
{%- endif %}

echo RabbitMQ works over TLS with certificates only.
endlocal
exit /b 0
{% include "rabbitmq/_rabbitmq/service" %}
{% include "_cmd/tail" %}
