@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Installs the reverse proxy as a service, with the generated nginx.conf
rem Made by cbgen for ONE, bundle defaults 1. Change the inventory, not this file.
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
set "STATE=%ProgramData%\cbgen\defaults\1\proxy"
if exist "%STATE%\." goto :state_ready
mkdir "%STATE%"
if not "%errorlevel%"=="0" goto :fail
:state_ready

set "ROOT=C:\Program Files (x86)\Virtual Hold Technology\proxy"
set "CONF=%ROOT%\nginx\conf"

set "STEP=find the nginx package"
if not exist "%ROOT%\bin\nginx_windows_service.cmd" goto :no_package
if not exist "%ROOT%\nginx\nginx.exe" goto :no_package
if not exist "%ROOT%\nginx\conf\mime.types" goto :no_package

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
rem unchecked: a note of an earlier run, if any
del /q "%STATE%\ran.txt" >nul 2>&1
if exist "%STATE%\ran.txt" goto :fail
rem unchecked: a note of an earlier run, if any
del /q "%STATE%\start.txt" >nul 2>&1
if exist "%STATE%\start.txt" goto :fail
call :find_service "VHT Reverse Proxy"
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
call :find_service "VHT Reverse Proxy"
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
call :find_service "VHT Reverse Proxy"
if not "%errorlevel%"=="0" goto :fail
if defined SERVICE goto :installed
echo The package has installed no service called VHT Reverse Proxy. Write the name it has as proxy.service_name into the inventory.
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
echo Run servers\ONE\certificate\convert-certificate.cmd first.
goto :fail

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
echo Nothing after this step was done. Correct the cause and run this script again, or run servers\ONE\proxy\rollback-proxy.cmd to go back.
endlocal
exit /b 1


