@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Stops the reverse proxy
rem Made by cbgen for PLANT-CB2, bundle acme-plant 2026.12.0-rc.1. Change the inventory, not this file.
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

set "STEP=check that this is PLANT-CB2"
if /i "%COMPUTERNAME%"=="PLANT-CB2" goto :right_server
echo This script was made for PLANT-CB2; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=find the saved state"
set "STATE=%ProgramData%\cbgen\acme-plant\2026.12.0-rc.1\start"
if exist "%STATE%\captured.txt" goto :state_ready
if exist "%STATE%\rolled-back.txt" goto :already_back
echo There is no saved state in %STATE%: this bundle has not changed this server, or what it saved was deleted, so there is nothing to take back.
goto :fail
:already_back
echo It was rolled back before. Nothing to do.
endlocal
exit /b 0
:state_ready

set "STEP=look for the service"
call :find_service "VHT Reverse Proxy"
if not "%errorlevel%"=="0" goto :fail
if not defined SERVICE goto :stopped
set "STEP=stop the service"
call :stop_service "%SERVICE%"
if not "%errorlevel%"=="0" goto :fail
set "STEP=keep Windows from starting the service by itself"
call :set_start "%SERVICE%" demand 0x3
if not "%errorlevel%"=="0" goto :fail
:stopped
set "STEP=note that this was rolled back"
move /y "%STATE%\captured.txt" "%STATE%\rolled-back.txt" >nul
if not "%errorlevel%"=="0" goto :fail

echo The proxy does not run. Run servers\PLANT-CB2\iis\rollback-bindings.cmd so that IIS takes its ports back.
endlocal
exit /b 0

rem Sets SERVICE to the key name of a service, which the service control wants; the panel Services shows another name. Empty:
rem there is none. Returns 1 when that cannot be told: a question that fails says nothing about what is there.
:find_service
set "SERVICE="
"%SYSTEM%\sc.exe" query "%~1" >nul 2>&1
if "%errorlevel%"=="0" goto :service_by_key
rem 1060: no service has this key name. Any other answer says nothing about it.
if not "%errorlevel%"=="1060" exit /b 1
"%SYSTEM%\sc.exe" getkeyname "%~1" >"%STATE%\service-key.txt" 2>&1
if "%errorlevel%"=="1060" exit /b 0
if not "%errorlevel%"=="0" exit /b 1
rem The last line is the one with the name, whatever language the others have.
for /f "usebackq tokens=1,* delims== " %%A in ("%STATE%\service-key.txt") do set "SERVICE=%%B"
if not defined SERVICE exit /b 1
"%SYSTEM%\sc.exe" query "%SERVICE%" >nul 2>&1
if not "%errorlevel%"=="0" exit /b 1
exit /b 0
:service_by_key
set "SERVICE=%~1"
exit /b 0

rem Sets RUNS to yes or no for a key name, by the exit code only: the words sc prints are those of the language of Windows.
:service_runs
set "RUNS="
set "TRIES="
:ask_again
"%SYSTEM%\sc.exe" interrogate "%~1" >nul 2>&1
if "%errorlevel%"=="0" goto :service_does_run
if "%errorlevel%"=="1062" goto :service_does_not_run
rem 1061: it is starting or stopping right now.
if not "%errorlevel%"=="1061" exit /b 1
set "TRIES=%TRIES%x"
if "%TRIES%"=="xxxxxxxxxxxxxxxxxxxxxxxx" exit /b 1
rem unchecked: only waits some seconds
"%SYSTEM%\ping.exe" -n 6 127.0.0.1 >nul
goto :ask_again
:service_does_run
set "RUNS=yes"
exit /b 0
:service_does_not_run
set "RUNS=no"
exit /b 0

rem Stops a service by its key name, and first what runs and depends on it: net stop would ask, and nobody would see it.
:stop_service
"%SYSTEM%\sc.exe" enumdepend "%~1" 65536 >"%STATE%\depend.txt" 2>&1
if not "%errorlevel%"=="0" exit /b 1
set "TROUBLE="
for /f "usebackq tokens=1,* delims=: " %%A in ("%STATE%\depend.txt") do call :stop_dependent "%%B"
if defined TROUBLE exit /b 1
call :stop_one "%~1"
if not "%errorlevel%"=="0" exit /b 1
exit /b 0
rem What stands in the list is a key name when a running service answers to it. 1060, 123 and 1213: it is another word of the
rem list; 1062: it does not run. Any other answer is none.
:stop_dependent
if defined TROUBLE exit /b 1
if "%~1"=="" exit /b 0
"%SYSTEM%\sc.exe" interrogate "%~1" >nul 2>&1
if "%errorlevel%"=="0" goto :does_depend
if "%errorlevel%"=="1060" exit /b 0
if "%errorlevel%"=="1062" exit /b 0
if "%errorlevel%"=="123" exit /b 0
if "%errorlevel%"=="1213" exit /b 0
set "TROUBLE=yes"
exit /b 1
:does_depend
echo Stopping "%~1", which depends on it.
echo "%~1">>"%STATE%\dependents.txt"
call :stop_one "%~1"
if "%errorlevel%"=="0" exit /b 0
set "TROUBLE=yes"
exit /b 1
:stop_one
set "WAITS="
"%SYSTEM%\sc.exe" stop "%~1" >nul 2>&1
rem 1062: it does not run. 1061: it is stopping or starting right now.
if "%errorlevel%"=="1062" exit /b 0
if "%errorlevel%"=="1061" goto :stopping
if "%errorlevel%"=="0" goto :stopping
echo sc.exe stop answers %errorlevel% for the service "%~1".
exit /b 1
:stopping
"%SYSTEM%\sc.exe" interrogate "%~1" >nul 2>&1
if "%errorlevel%"=="1062" exit /b 0
set "WAITS=%WAITS%x"
if "%WAITS%"=="xxxxxxxxxxxxxxxxxxxxxxxx" exit /b 1
rem unchecked: only waits some seconds
"%SYSTEM%\ping.exe" -n 6 127.0.0.1 >nul
goto :stopping

rem Sets START to the number Windows starts a service by: 2 by itself, 3 by hand, 4 never. DELAYED is 0x1 for a late start.
:read_start
set "START="
set "DELAYED="
"%SYSTEM%\reg.exe" query "HKLM\SYSTEM\CurrentControlSet\Services\%~1" /v Start /reg:64 >"%STATE%\start-type.txt" 2>&1
if not "%errorlevel%"=="0" exit /b 1
for /f "usebackq tokens=1-3" %%A in ("%STATE%\start-type.txt") do set "START=%%C"
if not defined START exit /b 1
rem unchecked: most services have no such value; it only says whether an automatic start waits a little
"%SYSTEM%\reg.exe" query "HKLM\SYSTEM\CurrentControlSet\Services\%~1" /v DelayedAutostart /reg:64 >"%STATE%\start-late.txt" 2>nul
for /f "usebackq tokens=1-3" %%A in ("%STATE%\start-late.txt") do set "DELAYED=%%C"
exit /b 0

rem Sets how Windows starts a service, and sees that it is so.
:set_start
"%SYSTEM%\sc.exe" config "%~1" start= "%~2" >nul 2>&1
if not "%errorlevel%"=="0" exit /b 1
call :read_start "%~1"
if not "%errorlevel%"=="0" exit /b 1
if "%START%"=="%~3" exit /b 0
exit /b 1


:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Correct the cause and run this script again.
endlocal
exit /b 1


