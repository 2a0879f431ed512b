---
title: Remove the reverse proxy again
requirements: [NGX-9, STEP-23, DEF-103, DEF-110]
scope: server
when: server.is_management
path: proxy/rollback-proxy.cmd
format: cmd
effect: run_script
phase: proxy
order: 61
rollback: none
---
{% set script_title = "Stops and removes the service of the proxy and puts the old nginx.conf back" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Correct the cause and run this script again." -%}
{% set state_name = "proxy" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/saved" %}
set "ROOT={{ proxy.root | cmd_set }}"
set "CONF=%ROOT%\nginx\conf"

set "STEP=look for the service"
call :find_service {{ proxy.service_name | cmd_arg }}
if not "%errorlevel%"=="0" goto :fail
if not defined SERVICE goto :removed
set "STEP=stop the service"
call :stop_service "%SERVICE%"
if not "%errorlevel%"=="0" goto :fail
rem A service that was there before this bundle stays.
if exist "%STATE%\service.txt" goto :remove
set "STEP=let Windows start the service as before"
set "KIND="
if not exist "%STATE%\start.txt" goto :removed
for /f "usebackq tokens=2,3" %%A in ("%STATE%\start.txt") do call :kind "%%A" "%%B"
if not defined KIND goto :removed
call :set_start "%SERVICE%" "%KIND%" "%NUMBER%"
if not "%errorlevel%"=="0" goto :fail
goto :removed
:remove
set "STEP=remove the service"
pushd "%ROOT%\bin"
if not "%errorlevel%"=="0" goto :fail
call "%ROOT%\bin\nginx_windows_service.cmd" uninstall <nul
set "CODE=%errorlevel%"
popd
if not "%CODE%"=="0" goto :fail
call :find_service {{ proxy.service_name | cmd_arg }}
if not "%errorlevel%"=="0" goto :fail
if defined SERVICE goto :fail
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
if not defined SERVICE goto :fail
call :start_service "%SERVICE%"
if not "%errorlevel%"=="0" goto :fail
:stays_stopped
{% include "_cmd/back" %}
if exist "%STATE%\ran.txt" echo The proxy is as it was before, and runs.
if not exist "%STATE%\ran.txt" echo The proxy is as it was before. Run servers\{{ server.name }}\iis\rollback-bindings.cmd so that IIS takes its ports back.
endlocal
exit /b 0

rem The words sc takes for what the registry says.
:kind
set "NUMBER=%~1"
if "%~1"=="0x2" set "KIND=auto"
if "%~1%~2"=="0x20x1" set "KIND=delayed-auto"
if "%~1"=="0x3" set "KIND=demand"
if "%~1"=="0x4" set "KIND=disabled"
exit /b 0
{% include "_cmd/find_service" %}
{%- include "_cmd/stop_service" %}
{%- include "_cmd/start_service" %}
{%- include "_cmd/start_type" %}
{% include "_cmd/tail" %}
