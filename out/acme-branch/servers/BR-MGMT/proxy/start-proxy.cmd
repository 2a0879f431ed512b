@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Starts the reverse proxy, or starts it anew with the files of now, and sees that it listens
rem Made by cbgen for BR-MGMT, bundle acme-branch 2026.12.2. Change the inventory, not this file.
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

set "STEP=check that this is BR-MGMT"
if /i "%COMPUTERNAME%"=="BR-MGMT" goto :right_server
echo This script was made for BR-MGMT; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=create the folder for saved state"
set "STATE=%ProgramData%\cbgen\acme-branch\2026.12.2\start"
if exist "%STATE%\." goto :state_ready
mkdir "%STATE%"
if not "%errorlevel%"=="0" goto :fail
:state_ready

set "ROOT=C:\Program Files (x86)\Virtual Hold Technology\proxy"
set "STEP=look for the service"
"%SYSTEM%\sc.exe" query "VHT Reverse Proxy" >"%STATE%\service-now.txt" 2>&1
if "%errorlevel%"=="0" goto :installed
echo The service VHT Reverse Proxy is not installed. Run install-proxy.cmd first.
goto :fail
:installed
rem A running proxy is not touched before its next files are known to be good.
set "STEP=test the installed nginx.conf"
"%ROOT%\nginx\nginx.exe" -t -p "%ROOT%\nginx" -c "conf/nginx.conf"
if not "%errorlevel%"=="0" goto :fail

rem nginx reads its files when it starts. Its own reload works only for the account and session that started it.
set "STEP=stop the proxy that runs with the files of before"
set "STOPPED="
"%SYSTEM%\findstr.exe" /r /c:"STATE  *: 1 " "%STATE%\service-now.txt" >nul
if "%errorlevel%"=="0" goto :not_running
if not "%errorlevel%"=="1" goto :fail
set "STOPPED=yes"
"%SYSTEM%\net.exe" stop "VHT Reverse Proxy"
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
echo Another program listens on port 443; the last number above is its process. Is it IIS? Run apply-bindings.cmd.
goto :fail
:port_free

set "STEP=start the service"
echo started>"%STATE%\captured.txt"
if not exist "%STATE%\captured.txt" goto :fail
"%SYSTEM%\net.exe" start "VHT Reverse Proxy"
if not "%errorlevel%"=="0" goto :fail

set "STEP=wait until the proxy listens on port 443"
set "TRIES="
:wait
"%SYSTEM%\netstat.exe" -ano -p TCP >"%STATE%\ports.txt"
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /r /c:":443  *0\.0\.0\.0:0 " "%STATE%\ports.txt" >nul
if "%errorlevel%"=="0" goto :listens
set "TRIES=%TRIES%x"
if "%TRIES%"=="xxxxxxxxxx" goto :fail
rem unchecked: only waits a second
"%SYSTEM%\ping.exe" -n 2 127.0.0.1 >nul
goto :wait
:listens
echo The proxy listens on port 443.
endlocal
exit /b 0

:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Look into nginx\logs\error.log of the proxy. To go back run rollback-start.cmd.
endlocal
exit /b 1


