@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Stops the services of Callback, and notes which ran
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
set "STATE=%ProgramData%\cbgen\acme-plant\2026.12.0-rc.1\services"
if exist "%STATE%\." goto :state_ready
mkdir "%STATE%"
if not "%errorlevel%"=="0" goto :fail
:state_ready

set "TROUBLE="
if exist "%STATE%\captured.txt" goto :noted
set "BROKER="
set "PROXY="
set "STEP=find the service of RabbitMQ, which goes on"
call :find_service RabbitMQ
if not "%errorlevel%"=="0" goto :fail
if defined SERVICE set "BROKER=%SERVICE%"
set "STEP=find the service of the proxy, which goes on where it runs"
call :find_service "VHT Reverse Proxy"
if not "%errorlevel%"=="0" goto :fail
if defined SERVICE set "PROXY=%SERVICE%"

rem Their names differ from version to version, their place does not.
set "STEP=find the services below the folders of Callback"
"%SYSTEM%\reg.exe" query HKLM\SYSTEM\CurrentControlSet\Services /s /d /f "E:\Callback" /reg:64 >"%STATE%\found.txt" 2>nul
if "%errorlevel%"=="0" goto :services_found
echo The registry names no service below E:\Callback. Is that the folder of Callback on this server?
goto :fail
:services_found
rem Services of Erlang run from a folder of Erlang; where their work lies stands elsewhere. 1: there is none here, or no Erlang of
rem this width; that the registry can be read is known from above.
"%SYSTEM%\reg.exe" query HKLM\SOFTWARE\Ericsson\Erlang\ErlSrv\1.1 /s /d /f "E:\Callback" /reg:64 >"%STATE%\erlang-64.txt" 2>nul
if "%errorlevel%"=="0" goto :erlang_64
if not "%errorlevel%"=="1" goto :fail
:erlang_64
"%SYSTEM%\reg.exe" query HKLM\SOFTWARE\Ericsson\Erlang\ErlSrv\1.1 /s /d /f "E:\Callback" /reg:32 >"%STATE%\erlang-32.txt" 2>nul
if "%errorlevel%"=="0" goto :erlang_32
if not "%errorlevel%"=="1" goto :fail
:erlang_32
set "STEP=note which of them run"
"%SYSTEM%\findstr.exe" /b /l /c:"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services" "%STATE%\found.txt" >"%STATE%\keys.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /b /l /c:"HKEY_LOCAL_MACHINE\SOFTWARE" "%STATE%\erlang-64.txt" >"%STATE%\erlang-keys-64.txt"
if "%errorlevel%"=="0" goto :erlang_keys_64
if not "%errorlevel%"=="1" goto :fail
:erlang_keys_64
"%SYSTEM%\findstr.exe" /b /l /c:"HKEY_LOCAL_MACHINE\SOFTWARE" "%STATE%\erlang-32.txt" >"%STATE%\erlang-keys-32.txt"
if "%errorlevel%"=="0" goto :erlang_keys_32
if not "%errorlevel%"=="1" goto :fail
:erlang_keys_32
type nul >"%STATE%\running.txt"
if not "%errorlevel%"=="0" goto :fail
call :note_service "W3SVC"
if not "%errorlevel%"=="0" goto :fail
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


:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Correct the cause and run this script again, or stop the services in Services. To go back run servers\PLANT-CB1\services\rollback-stop.cmd.
endlocal
exit /b 1


