---
title: Remove the reverse proxy again
requirements: [NGX-9, STEP-23, DEF-103]
scope: server
when: server.is_management
path: proxy/rollback-proxy.cmd
format: cmd
effect: run_script
phase: proxy
order: 61
rollback: none
---
{% set script_title = "Stops and removes the service VHT Reverse Proxy and puts the old nginx.conf back" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Correct the cause and run this script again." -%}
{% set state_name = "proxy" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/saved" %}
set "ROOT={{ proxy.root | cmd_set }}"
set "CONF=%ROOT%\nginx\conf"

set "STEP=look for the service"
rem 1060: there is no such service. Any other answer says nothing about it.
"%SYSTEM%\sc.exe" query "VHT Reverse Proxy" >"%STATE%\service-now.txt" 2>&1
if "%errorlevel%"=="1060" goto :removed
if not "%errorlevel%"=="0" goto :fail
set "STEP=stop the service"
"%SYSTEM%\findstr.exe" /r /c:"STATE  *: 1 " "%STATE%\service-now.txt" >nul
if "%errorlevel%"=="0" goto :stopped
if not "%errorlevel%"=="1" goto :fail
"%SYSTEM%\net.exe" stop "VHT Reverse Proxy"
if not "%errorlevel%"=="0" goto :fail
:stopped
rem A service that was there before this bundle stays.
if not exist "%STATE%\service.txt" goto :removed
set "STEP=remove the service"
pushd "%ROOT%\bin"
if not "%errorlevel%"=="0" goto :fail
call "%ROOT%\bin\nginx_windows_service.cmd" uninstall
set "CODE=%errorlevel%"
popd
if not "%CODE%"=="0" goto :fail
"%SYSTEM%\sc.exe" query "VHT Reverse Proxy" >nul 2>&1
if not "%errorlevel%"=="1060" goto :fail
del "%STATE%\service.txt"
if exist "%STATE%\service.txt" goto :fail
:removed

set "STEP=restore nginx.conf"
if exist "%STATE%\nginx.conf" goto :old_file
if not exist "%CONF%\nginx.conf" goto :restored
del "%CONF%\nginx.conf"
if exist "%CONF%\nginx.conf" goto :fail
goto :restored
:old_file
copy /y "%STATE%\nginx.conf" "%CONF%\nginx.conf" >nul
if not "%errorlevel%"=="0" goto :fail
:restored

if not exist "%STATE%\ran.txt" goto :stays_stopped
set "STEP=start the proxy that ran before; its port must be free again"
"%SYSTEM%\net.exe" start "VHT Reverse Proxy"
if not "%errorlevel%"=="0" goto :fail
:stays_stopped
{% include "_cmd/back" %}
if exist "%STATE%\ran.txt" echo The proxy is as it was before, and runs.
if not exist "%STATE%\ran.txt" echo The proxy is as it was before. Run rollback-bindings.cmd so that IIS takes its ports back.
endlocal
exit /b 0
{% include "_cmd/tail" %}
