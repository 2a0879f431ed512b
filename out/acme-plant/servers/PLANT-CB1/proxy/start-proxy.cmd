@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Starts the reverse proxy, or starts it anew with the files of now, and sees that it listens
rem Made by cbgen for PLANT-CB1, bundle acme-plant 2026.12.0-rc.1. Change the inventory, not this file.
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

set "STEP=check that this is PLANT-CB1"
if /i "%COMPUTERNAME%"=="PLANT-CB1" goto :right_server
echo This script was made for PLANT-CB1; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=create the folder for saved state"
set "STATE=%ProgramData%\cbgen\acme-plant\2026.12.0-rc.1\start"
if exist "%STATE%\." goto :state_ready
mkdir "%STATE%"
if not "%errorlevel%"=="0" goto :fail
:state_ready

set "ROOT=E:\Callback\proxy"
set "STEP=look for the service"
call :find_service "VHT Reverse Proxy"
if not "%errorlevel%"=="0" goto :fail
if defined SERVICE goto :installed
echo The service VHT Reverse Proxy is not installed. Run servers\PLANT-CB1\proxy\install-proxy.cmd first.
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

set "STEP=see that port 443 is free"
set "TRIES="
:look
"%SYSTEM%\netstat.exe" -ano -p TCP >"%STATE%\ports.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /r /c:":443  *0\.0\.0\.0:0 " "%STATE%\ports.txt"
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
echo Another program listens on port 443; the last number above is its process. Is it IIS? Run servers\PLANT-CB1\iis\apply-bindings.cmd.
goto :fail
:port_free

set "STEP=start the service"
echo started>"%STATE%\captured.txt"
if not exist "%STATE%\captured.txt" goto :fail
call :start_service "%SERVICE%"
if not "%errorlevel%"=="0" goto :fail

set "STEP=wait until the proxy listens on port 443"
set "TRIES="
:wait
"%SYSTEM%\netstat.exe" -ano -p TCP >"%STATE%\ports.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /r /c:":443  *0\.0\.0\.0:0 " "%STATE%\ports.txt" >nul
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
echo The proxy listens on port 443.
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
echo Nothing after this step was done. Look into nginx\logs\error.log of the proxy. To go back run servers\PLANT-CB1\proxy\rollback-start.cmd.
endlocal
exit /b 1


