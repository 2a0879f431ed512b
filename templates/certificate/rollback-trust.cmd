---
title: Take the imported certificates out again
requirements: [DEF-103]
scope: server
path: certificate/rollback-trust.cmd
format: cmd
effect: run_script
phase: proxy
order: 51
rollback: none
---
{% set script_title = "Takes out the certificates that import-trust.cmd added" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Correct the cause and run this script again." -%}
{% set state_name = "trust" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/saved" %}
set "CERTUTIL=%SYSTEM%\certutil.exe"
set "TROUBLE="
{% include "certificate/_certificate/trusted" %}
{% for other in servers %}{% if other.is_management -%}
for /f "usebackq tokens=1-3" %%A in ("%TRUST%\{{ other.name }}.txt") do call :remove "%%A" "%%B"
if defined TROUBLE goto :fail
{% endif %}{% endfor %}
{% include "_cmd/back" %}
echo Only the certificates of before are left.
endlocal
exit /b 0

rem Store and thumbprint; only what import-trust.cmd noted as added.
:remove
if defined TROUBLE exit /b 1
if not exist "%STATE%\added-%~1-%~2.txt" exit /b 0
set "TROUBLE=yes"
set "STEP=take %~2 out of %~1"
rem A store that cannot be read would look like one without the certificate.
"%CERTUTIL%" -store "%~1" >nul
if not "%errorlevel%"=="0" exit /b 1
rem unchecked: it also fails when the certificate is gone; the next line looks
"%CERTUTIL%" -delstore "%~1" "%~2" >nul 2>&1
"%CERTUTIL%" -store "%~1" "%~2" >nul 2>&1
if "%errorlevel%"=="0" exit /b 1
del "%STATE%\added-%~1-%~2.txt"
if exist "%STATE%\added-%~1-%~2.txt" exit /b 1
set "TROUBLE="
exit /b 0
{% include "_cmd/tail" %}
