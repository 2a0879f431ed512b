---
title: Let this server trust the certificate of the proxy
requirements: [TLS-7, STEP-7, DEF-21, DEF-107]
scope: server
path: certificate/import-trust.cmd
target: 'Cert:\LocalMachine'
format: cmd
effect: run_script
phase: proxy
order: 10
rollback: certificate/rollback-trust.cmd
runbook:
  before:
    - 'The folder {{ (''C:\\ProgramData\\cbgen\\'' ~ bundle.name ~ ''\\'' ~ bundle.version ~ ''\\trusted'') | md_code }} of this server holds the lists and `.cer` files of every Management server. No private key is among them.'
  do:
    - 'Run `servers\{{ server.name }}\certificate\import-trust.cmd`.{% if certificate.self_signed %} The self-signed certificate goes to the store of trusted roots.{% else %} The root goes to the store of trusted roots, intermediates to the store of intermediates, the certificate of the proxy nowhere.{% endif %}'
  check:
    - 'The script ends with `This server trusts the proxy`.'
  undo:
    - 'Run `servers\{{ server.name }}\certificate\rollback-trust.cmd`: it takes out exactly the certificates that were not there before.'
---
{% set script_title = "Imports the certificates that this server has to trust" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Correct the cause and run this script again, or run servers\\" ~ server.name ~ "\\certificate\\rollback-trust.cmd to go back." -%}
{% set state_name = "trust" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/state" %}
set "CERTUTIL=%SYSTEM%\certutil.exe"
set "TROUBLE="
set "COUNT="
{% include "certificate/_certificate/trusted" %}
{% for other in servers %}{% if other.is_management -%}
set "STEP=import the certificates of {{ other.name }}"
for /f "usebackq tokens=1-3" %%A in ("%TRUST%\{{ other.name }}.txt") do call :import "%%A" "%%B" "%%C"
if defined TROUBLE goto :fail
if not defined COUNT goto :fail
set "COUNT="
{% endif %}{% endfor %}
set "STEP=note that this server was looked at"
rem Also where nothing was missing: the way back must not take that for a loss.
if exist "%STATE%\captured.txt" goto :noted
echo saved>"%STATE%\captured.txt"
if not exist "%STATE%\captured.txt" goto :fail
:noted
echo This server trusts the proxy.
endlocal
exit /b 0

rem Store, thumbprint, file name. A certificate that was there before is left alone and not taken out on the way back.
:import
if defined TROUBLE exit /b 1
set "TROUBLE=yes"
set "STEP=import %~3 into %~1"
rem A store that cannot be read would look like one without the certificate, and the way back would take out too much.
"%CERTUTIL%" -store "%~1" >nul
if not "%errorlevel%"=="0" exit /b 1
"%CERTUTIL%" -store "%~1" "%~2" >nul 2>&1
if "%errorlevel%"=="0" goto :imported
if not exist "%TRUST%\%~3" exit /b 1
echo %~1>"%STATE%\added-%~1-%~2.txt"
if not exist "%STATE%\added-%~1-%~2.txt" exit /b 1
echo saved>"%STATE%\captured.txt"
if not exist "%STATE%\captured.txt" exit /b 1
"%CERTUTIL%" -f -addstore "%~1" "%TRUST%\%~3" >nul
if not "%errorlevel%"=="0" exit /b 1
"%CERTUTIL%" -store "%~1" "%~2" >nul
if not "%errorlevel%"=="0" exit /b 1
:imported
set "COUNT=yes"
set "TROUBLE="
exit /b 0
{% include "_cmd/tail" %}
