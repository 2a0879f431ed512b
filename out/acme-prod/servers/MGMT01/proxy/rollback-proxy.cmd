@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Stops and removes the service VHT Reverse Proxy and puts the old nginx.conf back
rem Made by cbgen for MGMT01, bundle acme-prod 2026.12.1. Change the inventory, not this file.
rem Exit code 0: every step was done and checked. Anything else: the named step failed and nothing after it ran.
set "SYSTEM=%SystemRoot%\System32"
rem A 32-bit console would reach the 32-bit programs and registry; Sysnative is its way to the native ones.
if exist "%SystemRoot%\Sysnative\cmd.exe" set "SYSTEM=%SystemRoot%\Sysnative"
set "STEP=check administrator rights"
"%SYSTEM%\net.exe" session >nul 2>&1
if "%errorlevel%"=="0" goto :elevated
echo Start the command prompt with Run as administrator, then run this script again.
goto :fail
:elevated

set "STEP=check that this is MGMT01"
if /i "%COMPUTERNAME%"=="MGMT01" goto :right_server
echo This script was made for MGMT01; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=find the saved state"
set "STATE=%ProgramData%\cbgen\acme-prod\2026.12.1\proxy"
if exist "%STATE%\captured.txt" goto :state_ready
if exist "%STATE%\rolled-back.txt" goto :already_back
echo There is no saved state in %STATE%: this bundle has not changed this server, so there is nothing to take back.
goto :fail
:already_back
echo It was rolled back before. Nothing to do.
endlocal
exit /b 0
:state_ready

set "ROOT=C:\Program Files (x86)\Virtual Hold Technology\proxy"
set "CONF=%ROOT%\nginx\conf"

set "STEP=look for the service"
rem 1060: there is no such service. Any other answer says nothing about it.
"%SYSTEM%\sc.exe" query "VHT Reverse Proxy" >"%STATE%\service-now.txt" 2>&1
if "%errorlevel%"=="1060" goto :removed
if not "%errorlevel%"=="0" goto :fail
set "STEP=stop the service"
"%SYSTEM%\findstr.exe" /r /c:"STATE  *: 1 " "%STATE%\service-now.txt" >nul
if "%errorlevel%"=="0" goto :stopped
if not "%errorlevel%"=="1" goto :fail
"%SYSTEM%\net.exe" stop "VHT Reverse Proxy"
if not "%errorlevel%"=="0" goto :fail
:stopped
rem A service that was there before this bundle stays.
if not exist "%STATE%\service.txt" goto :removed
set "STEP=remove the service"
pushd "%ROOT%\bin"
if not "%errorlevel%"=="0" goto :fail
call "%ROOT%\bin\nginx_windows_service.cmd" uninstall
set "CODE=%errorlevel%"
popd
if not "%CODE%"=="0" goto :fail
"%SYSTEM%\sc.exe" query "VHT Reverse Proxy" >nul 2>&1
if not "%errorlevel%"=="1060" goto :fail
del "%STATE%\service.txt"
if exist "%STATE%\service.txt" goto :fail
:removed

set "STEP=restore nginx.conf"
if exist "%STATE%\nginx.conf" goto :old_file
if not exist "%CONF%\nginx.conf" goto :restored
del "%CONF%\nginx.conf"
if exist "%CONF%\nginx.conf" goto :fail
goto :restored
:old_file
copy /y "%STATE%\nginx.conf" "%CONF%\nginx.conf" >nul
if not "%errorlevel%"=="0" goto :fail
:restored

if not exist "%STATE%\ran.txt" goto :stays_stopped
set "STEP=start the proxy that ran before; its port must be free again"
"%SYSTEM%\net.exe" start "VHT Reverse Proxy"
if not "%errorlevel%"=="0" goto :fail
:stays_stopped
set "STEP=note that this was rolled back"
move /y "%STATE%\captured.txt" "%STATE%\rolled-back.txt" >nul
if not "%errorlevel%"=="0" goto :fail

if exist "%STATE%\ran.txt" echo The proxy is as it was before, and runs.
if not exist "%STATE%\ran.txt" echo The proxy is as it was before. Run rollback-bindings.cmd so that IIS takes its ports back.
endlocal
exit /b 0

:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Correct the cause and run this script again.
endlocal
exit /b 1


