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

rem First what is missing, so that the site always has a binding. Bindings that others added since then stay.
set "STEP=restore the bindings that apply-bindings.cmd found"
set "MODE=restore"
call :each
if not "%errorlevel%"=="0" goto :fail

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
set "STEP=compare the bindings with the saved ones"
set "MODE=compare"
call :each
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /l /c:",http/127.0.0.1:80:," "%STATE%\bindings.txt" >nul
if "%errorlevel%"=="0" goto :compared
if not "%errorlevel%"=="1" goto :fail
"%SYSTEM%\findstr.exe" /l /c:",http/127.0.0.1:80:," "%STATE%\now.txt" >nul
if not "%errorlevel%"=="1" goto :fail
:compared
{% include "_cmd/back" %}
echo The bindings of before are back. Does HTTPS answer with the right certificate? IIS keeps it per port, not per binding.
echo A binding with a host name may need its mark *Require Server Name Indication* again.
endlocal
exit /b 0

rem Takes the saved bindings one by one; a list for all of IIS would also take back the work of others.
:each
set "REST="
for /f "usebackq delims=" %%A in ("%STATE%\bindings.txt") do set "REST=%%A"
if not defined REST exit /b 1
:next
echo %REST% >"%STATE%\rest.txt"
if not exist "%STATE%\rest.txt" exit /b 1
set "BINDING="
set "REST="
for /f "usebackq tokens=1,* delims=, " %%A in ("%STATE%\rest.txt") do call :first "%%A" "%%B"
if not defined BINDING exit /b 0
call :one
if not "%errorlevel%"=="0" exit /b 1
if defined REST goto :next
exit /b 0

:first
set "BINDING=%~1"
set "REST=%~2"
exit /b 0

:one
"%SYSTEM%\findstr.exe" /l /c:",%BINDING%," "%STATE%\now.txt" >nul
if "%errorlevel%"=="0" exit /b 0
if not "%errorlevel%"=="1" exit /b 1
if "%MODE%"=="compare" exit /b 1
echo %BINDING% >"%STATE%\one.txt"
if not exist "%STATE%\one.txt" exit /b 1
set "PROTOCOL="
set "PLACE="
for /f "usebackq tokens=1,2 delims=/ " %%A in ("%STATE%\one.txt") do call :parts "%%A" "%%B"
if not defined PLACE exit /b 1
echo Adds %PROTOCOL% %PLACE%
"%APPCMD%" set site "/site.name:%SITE%" "/+bindings.[protocol='%PROTOCOL%',bindingInformation='%PLACE%']"
if not "%errorlevel%"=="0" exit /b 1
exit /b 0

:parts
set "PROTOCOL=%~1"
set "PLACE=%~2"
exit /b 0
{% include "iis/_iis/bindings" %}
{% include "_cmd/tail" %}
