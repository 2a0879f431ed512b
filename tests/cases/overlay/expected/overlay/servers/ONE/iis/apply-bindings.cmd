@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Binds the IIS site to 127.0.0.1 and frees the port of the proxy
rem Made by cbgen for ONE, bundle overlay 1. Change the inventory, not this file.
rem Exit code 0: every step was done and checked. Anything else: the named step failed and nothing after it ran.
set "SYSTEM=%SystemRoot%\System32"
rem A 32-bit console would reach the 32-bit programs and registry; Sysnative is its way to the native ones.
if exist "%SystemRoot%\Sysnative\cmd.exe" set "SYSTEM=%SystemRoot%\Sysnative"
set "STEP=check administrator rights"
rem Asks the filter manager, which answers administrators only. Without an answer Windows says whether rights are the reason.
"%SYSTEM%\fltmc.exe" >nul 2>&1
if "%errorlevel%"=="0" goto :elevated
"%SYSTEM%\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -Command "$me = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent()); if ($me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) { exit 0 }; exit 3"
if "%errorlevel%"=="0" goto :elevated
if "%errorlevel%"=="3" goto :not_elevated
echo Neither the filter manager nor PowerShell answers, so nobody knows whether this command prompt has the rights of an administrator.
goto :fail
:not_elevated
echo Start the command prompt with Run as administrator, then run this script again.
goto :fail
:elevated

set "STEP=check that this is ONE"
if /i "%COMPUTERNAME%"=="ONE" goto :right_server
echo This script was made for ONE; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=create the folder for saved state"
set "STATE=%ProgramData%\cbgen\overlay\1\bindings"
if exist "%STATE%\." goto :state_ready
mkdir "%STATE%"
if not "%errorlevel%"=="0" goto :fail
:state_ready


rem The runbook may have stopped IIS. Here it has to run again, before anyone waits for an answer.
set "STEP=start IIS"
call :start_service W3SVC
if not "%errorlevel%"=="0" goto :fail
set "APPCMD=%SYSTEM%\inetsrv\appcmd.exe"
set "SITE=Default Web Site"
set "STEP=find IIS and its site"
if exist "%APPCMD%" goto :iis_found
echo There is no %APPCMD%. Install the IIS management tools.
goto :fail
:iis_found
"%APPCMD%" list site "%SITE%" >nul
if "%errorlevel%"=="0" goto :site_found
echo There is no site %SITE%. Correct iis.site in the inventory.
goto :fail
:site_found

set "STEP=list the bindings"
call :bindings
if not "%errorlevel%"=="0" goto :fail
echo Bindings now: %BINDINGS%

rem The first run saves the bindings of before; a later run must not save its own over them.
if exist "%STATE%\captured.txt" goto :captured
set "STEP=back up the configuration of IIS"
"%APPCMD%" list backup "cbgen-overlay-1-bindings" >nul
if "%errorlevel%"=="0" goto :backup_ready
echo Backup of all of IIS, for the last resort: cbgen-overlay-1-bindings
"%APPCMD%" add backup "cbgen-overlay-1-bindings" >nul
if not "%errorlevel%"=="0" goto :fail
:backup_ready

set "STEP=save the bindings"
copy /y "%STATE%\now.txt" "%STATE%\bindings.txt" >nul
if not "%errorlevel%"=="0" goto :fail
echo saved>"%STATE%\captured.txt"
if not exist "%STATE%\captured.txt" goto :fail
if not exist "%STATE%\rolled-back.txt" goto :captured
del "%STATE%\rolled-back.txt"
if exist "%STATE%\rolled-back.txt" goto :fail
:captured

set "STEP=add the binding 127.0.0.1:80"
"%SYSTEM%\findstr.exe" /l /c:",http/127.0.0.1:80:," "%STATE%\now.txt" >nul
if "%errorlevel%"=="0" goto :local_ready
if not "%errorlevel%"=="1" goto :fail
"%APPCMD%" set site "/site.name:%SITE%" "/+bindings.[protocol='http',bindingInformation='127.0.0.1:80:']"
if not "%errorlevel%"=="0" goto :fail
:local_ready

set "STEP=remove the binding *:80"
"%SYSTEM%\findstr.exe" /l /c:",http/*:80:," "%STATE%\now.txt" >nul
if "%errorlevel%"=="1" goto :http_gone
if not "%errorlevel%"=="0" goto :fail
"%APPCMD%" set site "/site.name:%SITE%" "/-bindings.[protocol='http',bindingInformation='*:80:']"
if not "%errorlevel%"=="0" goto :fail
:http_gone

set "STEP=remove the binding *:443"
"%SYSTEM%\findstr.exe" /l /c:",https/*:443:," "%STATE%\now.txt" >nul
if "%errorlevel%"=="1" goto :https_gone
if not "%errorlevel%"=="0" goto :fail
"%APPCMD%" set site "/site.name:%SITE%" "/-bindings.[protocol='https',bindingInformation='*:443:']"
if not "%errorlevel%"=="0" goto :fail
:https_gone

set "STEP=read the bindings back"
call :bindings
if not "%errorlevel%"=="0" goto :fail
echo Bindings now: %BINDINGS%
"%SYSTEM%\findstr.exe" /l /c:",http/127.0.0.1:80:," "%STATE%\now.txt" >nul
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /l /c:"/*:80:" /c:"]:80:" /c:":443:" "%STATE%\now.txt" >nul
if "%errorlevel%"=="0" goto :left_over
if not "%errorlevel%"=="1" goto :fail
rem An address that does not begin with 127.
"%SYSTEM%\findstr.exe" /r /c:"/[02-9][0-9.]*:80:" /c:"/1[013-9.][0-9.]*:80:" /c:"/12[0-689.][0-9.]*:80:" "%STATE%\now.txt" >nul
if "%errorlevel%"=="1" goto :no_left_over
if not "%errorlevel%"=="0" goto :fail
:left_over
echo A binding with a host name or an address of its own is left on port 80 or 443.
echo Note it, remove it in IIS Manager, then run this script again.
goto :fail
:no_left_over
echo IIS listens on 127.0.0.1 only.
endlocal
exit /b 0

rem Reads the bindings of the site as one line, with a comma before and after each: ,http/*:80:,https/*:443:,
:bindings
set "BINDINGS="
"%APPCMD%" list site "%SITE%" /text:bindings >"%STATE%\now.txt"
if not "%errorlevel%"=="0" exit /b 1
for /f "usebackq delims=" %%A in ("%STATE%\now.txt") do set "BINDINGS=,%%A,"
echo %BINDINGS% >"%STATE%\now.txt"
if not exist "%STATE%\now.txt" exit /b 1
exit /b 0

rem Starts a service by its key name, and again what was stopped because it depends on it.
:start_service
call :start_one "%~1"
if not "%errorlevel%"=="0" exit /b 1
call :start_dependents
if not "%errorlevel%"=="0" exit /b 1
exit /b 0
:start_dependents
if not exist "%STATE%\dependents.txt" exit /b 0
set "NOT_STARTED="
for /f "usebackq delims=" %%A in ("%STATE%\dependents.txt") do call :start_dependent %%A
if defined NOT_STARTED exit /b 1
del /q "%STATE%\dependents.txt"
if exist "%STATE%\dependents.txt" exit /b 1
exit /b 0
:start_dependent
call :start_one "%~1"
if "%errorlevel%"=="0" exit /b 0
set "NOT_STARTED=%~1"
echo The service "%~1" was stopped because it depends on another one, and does not start.
exit /b 1
:start_one
set "WAITS="
:start_again
set "WAS_THERE="
"%SYSTEM%\sc.exe" start "%~1" >nul 2>&1
rem 1056: it runs, or it is starting or stopping right now.
if "%errorlevel%"=="1056" goto :was_there
if not "%errorlevel%"=="0" exit /b 1
goto :starting
:was_there
set "WAS_THERE=yes"
:starting
"%SYSTEM%\sc.exe" interrogate "%~1" >nul 2>&1
if "%errorlevel%"=="0" exit /b 0
set "ANSWER=%errorlevel%"
set "WAITS=%WAITS%x"
if "%WAITS%"=="xxxxxxxxxxxxxxxxxxxxxxxx" exit /b 1
rem 1062: it does not run. One that was stopping has ended now, and is started.
if not "%ANSWER%"=="1062" goto :start_wait
if defined WAS_THERE goto :start_again
:start_wait
rem unchecked: only waits some seconds
"%SYSTEM%\ping.exe" -n 6 127.0.0.1 >nul
goto :starting


:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Correct the cause and run this script again, or run servers\ONE\iis\rollback-bindings.cmd to go back.
endlocal
exit /b 1


