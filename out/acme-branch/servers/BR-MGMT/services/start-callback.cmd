@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Starts the services of Callback that ran before the change
rem Made by cbgen for BR-MGMT, bundle acme-branch 2026.12.2. Change the inventory, not this file.
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

set "STEP=check that this is BR-MGMT"
if /i "%COMPUTERNAME%"=="BR-MGMT" goto :right_server
echo This script was made for BR-MGMT; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=create the folder for saved state"
set "STATE=%ProgramData%\cbgen\acme-branch\2026.12.2\services"
if exist "%STATE%\." goto :state_ready
mkdir "%STATE%"
if not "%errorlevel%"=="0" goto :fail
:state_ready

set "STEP=find out which services ran"
if exist "%STATE%\captured.txt" goto :noted
echo stop-callback.cmd has noted nothing on this server. Start its services in Services.
goto :fail
:noted
set "STEP=start the services of Callback that ran"
set "TROUBLE="
for /f "usebackq delims=" %%A in ("%STATE%\captured.txt") do call :start_noted %%A
rem Once for all of them: one of these that does not start is blamed on nothing else.
call :start_dependents
if not "%errorlevel%"=="0" set "TROUBLE=yes"
if defined TROUBLE goto :fail

echo Callback runs.
endlocal
exit /b 0

rem One that does not start keeps none of the others from it.
:start_noted
echo Starting "%~1".
call :start_one "%~1"
if "%errorlevel%"=="0" exit /b 0
echo The service "%~1" does not start.
set "TROUBLE=%~1"
exit /b 1

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
echo Nothing after this step was done. Look into the log of the service that does not start, then run this script again.
endlocal
exit /b 1


