---
title: Start the reverse proxy
requirements: [NGX-7, STEP-6, DEF-22]
scope: server
when: server.is_management
path: proxy/start-proxy.cmd
target: service VHT Reverse Proxy
format: cmd
effect: run_script
phase: iis
order: 60
rollback: proxy/rollback-start.cmd
runbook:
  before:
    - 'The service is installed and IIS has let go of port {{ proxy.https_port }}.'
  do:
    - 'Run `proxy\start-proxy.cmd`. It tests what lies in `nginx\conf`. A proxy that runs already is stopped and started: nginx reads its files only when it starts, so nobody reaches Callback for a moment.'
  check:
    - 'The script ends with `The proxy listens on port {{ proxy.https_port }}`, and {{ (proxy.origin ~ "/EyeQueue") | md_code }} opens in a browser.'
  undo:
    - 'Run `proxy\rollback-start.cmd`: it stops the service.'
---
{% set script_title = "Starts the reverse proxy, or starts it anew with the files of now, and sees that it listens" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Look into nginx\\logs\\error.log of the proxy. To go back run rollback-start.cmd." -%}
{% set state_name = "start" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/state" %}
set "ROOT={{ proxy.root | cmd_set }}"
set "STEP=look for the service"
"%SYSTEM%\sc.exe" query "VHT Reverse Proxy" >"%STATE%\service-now.txt" 2>&1
if "%errorlevel%"=="0" goto :installed
echo The service VHT Reverse Proxy is not installed. Run install-proxy.cmd first.
goto :fail
:installed
rem A running proxy is not touched before its next files are known to be good.
set "STEP=test the installed nginx.conf"
"%ROOT%\nginx\nginx.exe" -t -p "%ROOT%\nginx" -c "conf/nginx.conf"
if not "%errorlevel%"=="0" goto :fail

rem nginx reads its files when it starts. Its own reload works only for the account and session that started it.
set "STEP=stop the proxy that runs with the files of before"
set "STOPPED="
"%SYSTEM%\findstr.exe" /r /c:"STATE  *: 1 " "%STATE%\service-now.txt" >nul
if "%errorlevel%"=="0" goto :not_running
if not "%errorlevel%"=="1" goto :fail
set "STOPPED=yes"
"%SYSTEM%\net.exe" stop "VHT Reverse Proxy"
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
echo Another program listens on port {{ proxy.https_port }}; the last number above is its process. Is it IIS? Run apply-bindings.cmd.
goto :fail
:port_free

set "STEP=start the service"
echo started>"%STATE%\captured.txt"
if not exist "%STATE%\captured.txt" goto :fail
"%SYSTEM%\net.exe" start "VHT Reverse Proxy"
if not "%errorlevel%"=="0" goto :fail

set "STEP=wait until the proxy listens on port {{ proxy.https_port }}"
set "TRIES="
:wait
"%SYSTEM%\netstat.exe" -ano -p TCP >"%STATE%\ports.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /r /c:":{{ proxy.https_port }}  *0\.0\.0\.0:0 " "%STATE%\ports.txt" >nul
if "%errorlevel%"=="0" goto :listens
set "TRIES=%TRIES%x"
if "%TRIES%"=="xxxxxxxxxx" goto :fail
rem unchecked: only waits a second
"%SYSTEM%\ping.exe" -n 2 127.0.0.1 >nul
goto :wait
:listens
echo The proxy listens on port {{ proxy.https_port }}.
endlocal
exit /b 0
{% include "_cmd/tail" %}
