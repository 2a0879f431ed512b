---
title: Stop the reverse proxy
requirements: [DEF-103]
scope: server
when: server.is_management
path: proxy/rollback-start.cmd
format: cmd
effect: run_script
phase: iis
order: 51
rollback: none
---
{% set script_title = "Stops the reverse proxy" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Correct the cause and run this script again." -%}
{% set state_name = "start" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/saved" %}
set "STEP=look for the service"
rem 1060: there is no such service. Any other answer says nothing about it.
"%SYSTEM%\sc.exe" query "VHT Reverse Proxy" >"%STATE%\service-now.txt" 2>&1
if "%errorlevel%"=="1060" goto :stopped
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /r /c:"STATE  *: 1 " "%STATE%\service-now.txt" >nul
if "%errorlevel%"=="0" goto :stopped
if not "%errorlevel%"=="1" goto :fail
set "STEP=stop the service"
"%SYSTEM%\net.exe" stop "VHT Reverse Proxy"
if not "%errorlevel%"=="0" goto :fail
:stopped
{% include "_cmd/back" %}
echo The proxy does not run. Run rollback-bindings.cmd so that IIS takes its ports back.
endlocal
exit /b 0
{% include "_cmd/tail" %}
