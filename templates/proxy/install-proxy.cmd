---
title: Install the reverse proxy as a service
requirements: [NGX-3, NGX-5, PRE-5, STEP-4, DEF-17, DEF-18, DEF-22, DEF-103, DEF-110]
scope: server
when: server.is_management
path: proxy/install-proxy.cmd
target: service VHT Reverse Proxy
format: cmd
effect: run_script
phase: proxy
order: 60
restarts: [VHT Reverse Proxy]
rollback: proxy/rollback-proxy.cmd
runbook:
  before:
    - 'The nginx package is unpacked in {{ proxy.root | md_code }}, certificate and key lie in `nginx\conf`.'
  do:
    - 'Run `servers\{{ server.name }}\proxy\install-proxy.cmd`. It makes the folder for logs, saves the old `nginx.conf`, tests the generated one with `nginx -t` before it replaces anything, and installs the service. It does not start it, and sees to it that a restart of Windows does not either: IIS still holds the port.'
  check:
    - 'The script ends with `The service is installed`.'
  undo:
    - 'Run `servers\{{ server.name }}\proxy\rollback-proxy.cmd`: it stops and removes the service and puts the old `nginx.conf` back. A service that was there before stays, and runs again if it ran.'
---
{% set script_title = "Installs the reverse proxy as a service, with the generated nginx.conf" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Correct the cause and run this script again, or run servers\\" ~ server.name ~ "\\proxy\\rollback-proxy.cmd to go back." -%}
{% set state_name = "proxy" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/state" %}
set "ROOT={{ proxy.root | cmd_set }}"
set "CONF=%ROOT%\nginx\conf"

set "STEP=find the nginx package"
{% for file in ["bin\\nginx_windows_service.cmd", "nginx\\nginx.exe", "nginx\\conf\\mime.types"] -%}
if not exist "%ROOT%\{{ file | cmd_set }}" goto :no_package
{% endfor %}
set "STEP=find certificate and key"
if not exist "%CONF%\vht_callback_ssl.crt" goto :no_certificate
if not exist "%CONF%\vht_callback_ssl.key" goto :no_certificate

set "STEP=find the generated nginx.conf"
if not exist "%~dp0..\nginx\nginx.conf" goto :fail

set "STEP=create the folder for logs"
if exist "%ROOT%\nginx\logs\." goto :logs_ready
mkdir "%ROOT%\nginx\logs"
if not "%errorlevel%"=="0" goto :fail
:logs_ready

set "STEP=test the generated nginx.conf"
copy /y "%~dp0..\nginx\nginx.conf" "%CONF%\nginx.conf.cbgen-new" >nul
if not "%errorlevel%"=="0" goto :fail
"%ROOT%\nginx\nginx.exe" -t -p "%ROOT%\nginx" -c "conf/nginx.conf.cbgen-new"
if not "%errorlevel%"=="0" goto :fail

rem The first run saves the file of before; a later run must not save its own file over it.
set "STEP=save the old nginx.conf"
if exist "%STATE%\captured.txt" goto :captured
rem unchecked: a file of an earlier run, if any
del /q "%STATE%\nginx.conf" >nul 2>&1
if exist "%STATE%\nginx.conf" goto :fail
if not exist "%CONF%\nginx.conf" goto :no_old_file
copy /y "%CONF%\nginx.conf" "%STATE%\nginx.conf" >nul
if not "%errorlevel%"=="0" goto :fail
:no_old_file
set "STEP=note whether the proxy runs already"
{% for note in ["ran.txt", "start.txt"] -%}
rem unchecked: a note of an earlier run, if any
del /q "%STATE%\{{ note }}" >nul 2>&1
if exist "%STATE%\{{ note }}" goto :fail
{% endfor -%}
call :find_service {{ proxy.service_name | cmd_arg }}
if not "%errorlevel%"=="0" goto :fail
if not defined SERVICE goto :noted
call :service_runs "%SERVICE%"
if not "%errorlevel%"=="0" goto :fail
call :read_start "%SERVICE%"
if not "%errorlevel%"=="0" goto :fail
echo start %START% %DELAYED% end>"%STATE%\start.txt"
if not exist "%STATE%\start.txt" goto :fail
if not "%RUNS%"=="yes" goto :noted
echo ran>"%STATE%\ran.txt"
if not exist "%STATE%\ran.txt" goto :fail
:noted
echo saved>"%STATE%\captured.txt"
if not exist "%STATE%\captured.txt" goto :fail
if not exist "%STATE%\rolled-back.txt" goto :captured
del "%STATE%\rolled-back.txt"
if exist "%STATE%\rolled-back.txt" goto :fail
:captured

set "STEP=move the generated nginx.conf into place"
move /y "%CONF%\nginx.conf.cbgen-new" "%CONF%\nginx.conf" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=install the service"
call :find_service {{ proxy.service_name | cmd_arg }}
if not "%errorlevel%"=="0" goto :fail
if defined SERVICE goto :installed
echo installed>"%STATE%\service.txt"
if not exist "%STATE%\service.txt" goto :fail
pushd "%ROOT%\bin"
if not "%errorlevel%"=="0" goto :fail
call "%ROOT%\bin\nginx_windows_service.cmd" install <nul
set "CODE=%errorlevel%"
popd
if not "%CODE%"=="0" goto :fail
set "STEP=see that the service exists"
call :find_service {{ proxy.service_name | cmd_arg }}
if not "%errorlevel%"=="0" goto :fail
if defined SERVICE goto :installed
echo The package has installed no service called {{ proxy.service_name | cmd_echo }}. Write the name it has as proxy.service_name into the inventory.
goto :fail
:installed
rem A proxy that runs has its port and keeps its ways. Any other one would fight with IIS for the port after a restart.
set "STEP=see whether the proxy runs"
call :service_runs "%SERVICE%"
if not "%errorlevel%"=="0" goto :fail
if "%RUNS%"=="yes" goto :start_is_right
set "STEP=let Windows start the proxy by hand only, until start-proxy.cmd"
call :set_start "%SERVICE%" demand 0x3
if not "%errorlevel%"=="0" goto :fail
:start_is_right
echo The service is installed. start-proxy.cmd starts it after IIS let go of its port; a proxy that runs already keeps its old files until then.
endlocal
exit /b 0

:no_package
echo The package is not complete. Unpack the nginx package into the product folder first.
goto :fail
:no_certificate
echo Run servers\{{ server.name }}\certificate\convert-certificate.cmd first.
goto :fail
{% include "_cmd/find_service" %}
{%- include "_cmd/start_type" %}
{% include "_cmd/tail" %}
