---
title: Start the reverse proxy
requirements: [NGX-7, STEP-6, DEF-22, DEF-110]
scope: server
when: server.is_management
path: proxy/start-proxy.cmd
target: service VHT Reverse Proxy
format: cmd
effect: run_script
phase: iis
order: 60
breaks: [callbacks, web_pages]
rollback: proxy/rollback-start.cmd
runbook:
  before:
    - 'The service is installed and IIS has let go of port {{ proxy.https_port }}.'
  do:
    - 'Run `servers\{{ server.name }}\proxy\start-proxy.cmd`. It tests what lies in `nginx\conf`. A proxy that runs already is stopped and started: nginx reads its files only when it starts, so nobody reaches Callback for a moment.'
  check:
    - 'The script ends with `The proxy listens on port {{ proxy.https_port }}`, and {{ (server.own_origin ~ "/EyeQueue") | md_code }} opens in a browser: the own name of this server, where a dead one cannot hide behind another.'
  undo:
    - 'Run `servers\{{ server.name }}\proxy\rollback-start.cmd`: it stops the service.'
---
{% set script_title = "Starts the reverse proxy, or starts it anew with the files of now, and sees that it listens" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Look into nginx\\logs\\error.log of the proxy. To go back run servers\\" ~ server.name ~ "\\proxy\\rollback-start.cmd." -%}
{% set state_name = "start" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/state" %}
set "ROOT={{ proxy.root | cmd_set }}"
set "STEP=look for the service"
call :find_service {{ proxy.service_name | cmd_arg }}
if not "%errorlevel%"=="0" goto :fail
if defined SERVICE goto :installed
echo The service {{ proxy.service_name | cmd_echo }} is not installed. Run servers\{{ server.name }}\proxy\install-proxy.cmd first.
goto :fail
:installed
rem A running proxy is not touched before its next files are known to be good.
set "STEP=test the installed nginx.conf"
"%ROOT%\nginx\nginx.exe" -t -p "%ROOT%\nginx" -c "conf/nginx.conf"
if not "%errorlevel%"=="0" goto :fail

rem nginx reads its files when it starts. Its own reload works only for the account and session that started it.
set "STEP=stop the proxy that runs with the files of before"
set "STOPPED="
call :service_runs "%SERVICE%"
if not "%errorlevel%"=="0" goto :fail
if not "%RUNS%"=="yes" goto :not_running
set "STOPPED=yes"
call :stop_service "%SERVICE%"
if not "%errorlevel%"=="0" goto :fail
:not_running

set "STEP=see that port {{ proxy.https_port }} is free"
set "TRIES="
:look
"%SYSTEM%\netstat.exe" -ano -p TCP >"%STATE%\ports.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /r /c:":{{ proxy.https_port }}  *0\.0\.0\.0:0 " "%STATE%\ports.txt"
if "%errorlevel%"=="1" goto :port_free
if not "%errorlevel%"=="0" goto :fail
rem What was stopped a moment ago may hold its port a little longer.
if not defined STOPPED goto :port_taken
set "TRIES=%TRIES%x"
if "%TRIES%"=="xxxxxxxxxx" goto :port_taken
rem unchecked: only waits a second
"%SYSTEM%\ping.exe" -n 2 127.0.0.1 >nul
goto :look
:port_taken
echo Another program listens on port {{ proxy.https_port }}; the last number above is its process. Is it IIS? Run servers\{{ server.name }}\iis\apply-bindings.cmd.
goto :fail
:port_free

set "STEP=start the service"
echo started>"%STATE%\captured.txt"
if not exist "%STATE%\captured.txt" goto :fail
call :start_service "%SERVICE%"
if not "%errorlevel%"=="0" goto :fail

set "STEP=wait until the proxy listens on port {{ proxy.https_port }}"
set "TRIES="
:wait
"%SYSTEM%\netstat.exe" -ano -p TCP >"%STATE%\ports.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /r /c:":{{ proxy.https_port }}  *0\.0\.0\.0:0 " "%STATE%\ports.txt" >nul
if "%errorlevel%"=="0" goto :listens
if not "%errorlevel%"=="1" goto :fail
set "TRIES=%TRIES%x"
if "%TRIES%"=="xxxxxxxxxx" goto :fail
rem unchecked: only waits a second
"%SYSTEM%\ping.exe" -n 2 127.0.0.1 >nul
goto :wait
:listens
set "STEP=let Windows start the proxy by itself from now on"
call :set_start "%SERVICE%" auto 0x2
if not "%errorlevel%"=="0" goto :fail
echo The proxy listens on port {{ proxy.https_port }}.
endlocal
exit /b 0
{% include "_cmd/find_service" %}
{%- include "_cmd/stop_service" %}
{%- include "_cmd/start_service" %}
{%- include "_cmd/start_type" %}
{% include "_cmd/tail" %}
