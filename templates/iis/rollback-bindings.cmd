---
title: Restore the bindings of IIS
requirements: [DEF-103]
scope: server
when: server.is_management
path: iis/rollback-bindings.cmd
format: cmd
effect: run_script
phase: iis
order: 51
rollback: none
---
{% set script_title = "Restores the bindings of before apply-bindings.cmd" -%}
{% set script_machine = server.name -%}
{% set script_advice = "Is the proxy stopped? Correct the cause and run this script again." -%}
{% set state_name = "bindings" -%}
{% include "_cmd/head" %}
{% include "_cmd/this_server" %}
{% include "_cmd/saved" %}
{% include "iis/_iis/site" %}
set "STEP=list the bindings"
call :bindings
if not "%errorlevel%"=="0" goto :fail
echo Bindings now: %BINDINGS%

rem First what is missing, so that the site always has a binding.
{%- for port in [80, 443] %}
{%- set protocol = "http" if port == 80 else "https" %}
set "STEP=restore the binding *:{{ port }}"
"%SYSTEM%\findstr.exe" /l /c:",{{ protocol }}/*:{{ port }}:," "%STATE%\bindings.txt" >nul
if "%errorlevel%"=="1" goto :restored_{{ port }}
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /l /c:",{{ protocol }}/*:{{ port }}:," "%STATE%\now.txt" >nul
if "%errorlevel%"=="0" goto :restored_{{ port }}
if not "%errorlevel%"=="1" goto :fail
"%APPCMD%" set site "/site.name:%SITE%" "/+bindings.[protocol='{{ protocol }}',bindingInformation='*:{{ port }}:']"
if not "%errorlevel%"=="0" goto :fail
:restored_{{ port }}
{% endfor %}
set "STEP=remove the binding 127.0.0.1:80"
"%SYSTEM%\findstr.exe" /l /c:",http/127.0.0.1:80:," "%STATE%\bindings.txt" >nul
if "%errorlevel%"=="0" goto :local_stays
if not "%errorlevel%"=="1" goto :fail
"%SYSTEM%\findstr.exe" /l /c:",http/127.0.0.1:80:," "%STATE%\now.txt" >nul
if "%errorlevel%"=="1" goto :local_stays
if not "%errorlevel%"=="0" goto :fail
"%APPCMD%" set site "/site.name:%SITE%" "/-bindings.[protocol='http',bindingInformation='127.0.0.1:80:']"
if not "%errorlevel%"=="0" goto :fail
:local_stays

set "STEP=read the bindings back"
call :bindings
if not "%errorlevel%"=="0" goto :fail
echo Bindings now: %BINDINGS%
{% for binding in [",http/*:80:,", ",https/*:443:,", ",http/127.0.0.1:80:,"] -%}
"%SYSTEM%\findstr.exe" /l /c:"{{ binding | cmd_echo }}" "%STATE%\bindings.txt" >nul
if "%errorlevel%"=="1" goto :compared_{{ loop.index }}
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /l /c:"{{ binding | cmd_echo }}" "%STATE%\now.txt" >nul
if not "%errorlevel%"=="0" goto :fail
:compared_{{ loop.index }}
{% endfor -%}
{% include "_cmd/back" %}
echo The bindings of before are back. Does HTTPS answer with the right certificate? IIS keeps it per port, not per binding.
endlocal
exit /b 0
{% include "iis/_iis/bindings" %}
{% include "_cmd/tail" %}
