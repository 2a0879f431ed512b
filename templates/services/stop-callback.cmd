---
title: Stop the services of Callback
requirements: [PRE-16, STEP-17, DEF-87]
scope: server
path: services/stop-callback.cmd
target: services below the product folder
format: cmd
effect: run_script
phase: stop
order: 5
minutes: 3
undo_minutes: 2
breaks: [callbacks, web_pages]
rollback: services/rollback-stop.cmd
runbook:
  do:
    - 'Run `servers\{{ server.name }}\services\stop-callback.cmd`. It stops what runs from {{ product.install_root | md_code }}{% if server.is_management and rabbitmq is defined %}, and IIS: what that hosts, Platform ToolKit above all, talks to RabbitMQ{% endif %}. {% if rabbitmq is defined %}RabbitMQ goes on: the commands of the next phase need it. {% endif %}What ran is noted, so that it runs again at the end.'
  check:
    - 'The script ends with `Callback is stopped`, and *Services* shows no other service of Callback (Virtual Hold) that runs.'
  undo:
    - 'Run `servers\{{ server.name }}\services\rollback-stop.cmd`: it starts what ran.'
---
{% set script_title = "Stops the services of Callback, and notes which ran" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Correct the cause and run this script again, or stop the services in Services. To go back run servers\\" ~ server.name ~ "\\services\\rollback-stop.cmd." -%}
{% set state_name = "services" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/state" %}
set "TROUBLE="
if exist "%STATE%\captured.txt" goto :noted
set "BROKER="
set "PROXY="
{%- if rabbitmq is defined %}
set "STEP=find the service of RabbitMQ, which goes on"
call :find_service RabbitMQ
if not "%errorlevel%"=="0" goto :fail
if defined SERVICE set "BROKER=%SERVICE%"
{%- endif %}
{%- if server.is_management %}
set "STEP=find the service of the proxy, which goes on where it runs"
call :find_service {{ proxy.service_name | cmd_arg }}
if not "%errorlevel%"=="0" goto :fail
if defined SERVICE set "PROXY=%SERVICE%"
{%- endif %}

rem Their names differ from version to version, their place does not.
set "STEP=find the services below the folders of Callback"
"%SYSTEM%\reg.exe" query HKLM\SYSTEM\CurrentControlSet\Services /s /d /f {{ product.install_root | cmd_arg }} /reg:64 >"%STATE%\found.txt" 2>nul
if "%errorlevel%"=="0" goto :services_found
echo The registry names no service below {{ product.install_root | cmd_echo }}. Is that the folder of Callback on this server?
goto :fail
:services_found
rem Services of Erlang run from a folder of Erlang; where their work lies stands elsewhere. 1: there is none here, or no Erlang of
rem this width; that the registry can be read is known from above.
{%- for bits in ["64", "32"] %}
"%SYSTEM%\reg.exe" query HKLM\SOFTWARE\Ericsson\Erlang\ErlSrv\1.1 /s /d /f {{ product.install_root | cmd_arg }} /reg:{{ bits }} >"%STATE%\erlang-{{ bits }}.txt" 2>nul
if "%errorlevel%"=="0" goto :erlang_{{ bits }}
if not "%errorlevel%"=="1" goto :fail
:erlang_{{ bits }}
{%- endfor %}
{%- if product.core_monitor_root is defined and not product.core_monitor_root is starting_with(pat=product.install_root) %}
"%SYSTEM%\reg.exe" query HKLM\SYSTEM\CurrentControlSet\Services /s /d /f {{ product.core_monitor_root | cmd_arg }} /reg:64 >>"%STATE%\found.txt" 2>nul
if "%errorlevel%"=="0" goto :monitor_found
rem 1: there is none here; that the registry can be read is known from above.
if not "%errorlevel%"=="1" goto :fail
:monitor_found
{%- endif %}
set "STEP=note which of them run"
"%SYSTEM%\findstr.exe" /b /l /c:"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services" "%STATE%\found.txt" >"%STATE%\keys.txt"
if not "%errorlevel%"=="0" goto :fail
{%- for bits in ["64", "32"] %}
"%SYSTEM%\findstr.exe" /b /l /c:"HKEY_LOCAL_MACHINE\SOFTWARE" "%STATE%\erlang-{{ bits }}.txt" >"%STATE%\erlang-keys-{{ bits }}.txt"
if "%errorlevel%"=="0" goto :erlang_keys_{{ bits }}
if not "%errorlevel%"=="1" goto :fail
:erlang_keys_{{ bits }}
{%- endfor %}
type nul >"%STATE%\running.txt"
if not "%errorlevel%"=="0" goto :fail
{%- if server.is_management and rabbitmq is defined %}
call :note_service "W3SVC"
if not "%errorlevel%"=="0" goto :fail
{%- endif %}
rem The folder may be named below other services too, in rules of the firewall and sources of event logs: only what stands in the
rem key of a service itself is about that service, and in its Parameters, where wrappers keep the program they run.
for /f "usebackq tokens=5-7 delims=\" %%A in ("%STATE%\keys.txt") do call :note_key "%%A" "%%B" "%%C"
if defined TROUBLE goto :fail
rem A key of the 32-bit Erlang may or may not be shown below Wow6432Node.
for /f "usebackq tokens=7 delims=\" %%A in ("%STATE%\erlang-keys-64.txt") do call :note_service "%%A"
if defined TROUBLE goto :fail
for /f "usebackq tokens=3,7,8 delims=\" %%A in ("%STATE%\erlang-keys-32.txt") do call :note_erlang "%%A" "%%B" "%%C"
if defined TROUBLE goto :fail
move /y "%STATE%\running.txt" "%STATE%\captured.txt" >nul
if not "%errorlevel%"=="0" goto :fail
:noted

set "STEP=stop the services of Callback"
for /f "usebackq delims=" %%A in ("%STATE%\captured.txt") do call :stop_noted %%A
if defined TROUBLE goto :fail
echo Callback is stopped. What ran stands in %STATE%\captured.txt.
endlocal
exit /b 0

:note_key
if "%~2"=="" goto :note_service
if /i not "%~2"=="Parameters" exit /b 0
if not "%~3"=="" exit /b 0
goto :note_service

:note_erlang
if /i not "%~1"=="Wow6432Node" goto :erlang_as_it_is
call :note_service "%~3"
if not "%errorlevel%"=="0" exit /b 1
exit /b 0
:erlang_as_it_is
call :note_service "%~2"
if not "%errorlevel%"=="0" exit /b 1
exit /b 0

:note_service
if defined TROUBLE exit /b 1
if "%~1"=="" exit /b 0
if /i "%~1"=="%BROKER%" exit /b 0
if /i "%~1"=="%PROXY%" exit /b 0
"%SYSTEM%\sc.exe" query "%~1" >nul 2>&1
rem 1060: a key that was left behind, and no service.
if "%errorlevel%"=="1060" exit /b 0
if not "%errorlevel%"=="0" goto :not_told
call :service_runs "%~1"
if not "%errorlevel%"=="0" goto :not_told
if "%RUNS%"=="no" exit /b 0
echo "%~1">>"%STATE%\running.txt"
exit /b 0
:not_told
echo Whether the service "%~1" runs cannot be told.
set "TROUBLE=%~1"
exit /b 1

:stop_noted
if defined TROUBLE exit /b 1
echo Stopping "%~1".
call :stop_service "%~1"
if "%errorlevel%"=="0" exit /b 0
echo The service "%~1" does not stop.
set "TROUBLE=%~1"
exit /b 1
{% include "_cmd/find_service" %}
{%- include "_cmd/stop_service" %}
{% include "_cmd/tail" %}
