@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Installs the reverse proxy as a service, with the generated nginx.conf
rem Made by cbgen for MGMT02, bundle acme-prod 2026.12.1. Change the inventory, not this file.
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

set "STEP=check that this is MGMT02"
if /i "%COMPUTERNAME%"=="MGMT02" goto :right_server
echo This script was made for MGMT02; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=create the folder for saved state"
set "STATE=%ProgramData%\cbgen\acme-prod\2026.12.1\proxy"
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
rem 1060: there is no such service. Any other answer says nothing about it.
"%SYSTEM%\sc.exe" query "VHT Reverse Proxy" >"%STATE%\service-now.txt" 2>&1
if "%errorlevel%"=="1060" goto :noted
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /r /c:"STATE  *: 1 " "%STATE%\service-now.txt" >nul
if "%errorlevel%"=="0" goto :noted
if not "%errorlevel%"=="1" goto :fail
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
"%SYSTEM%\sc.exe" query "VHT Reverse Proxy" >nul 2>&1
if "%errorlevel%"=="0" goto :installed
if not "%errorlevel%"=="1060" goto :fail
echo installed>"%STATE%\service.txt"
if not exist "%STATE%\service.txt" goto :fail
pushd "%ROOT%\bin"
if not "%errorlevel%"=="0" goto :fail
call "%ROOT%\bin\nginx_windows_service.cmd" install
set "CODE=%errorlevel%"
popd
if not "%CODE%"=="0" goto :fail
set "STEP=see that the service exists"
"%SYSTEM%\sc.exe" query "VHT Reverse Proxy" >nul 2>&1
if not "%errorlevel%"=="0" goto :fail
:installed
echo The service is installed. start-proxy.cmd starts it after IIS let go of its port; a proxy that runs already keeps its old files until then.
endlocal
exit /b 0

:no_package
echo The package is not complete. Unpack the nginx package into the product folder first.
goto :fail
:no_certificate
echo Run convert-certificate.cmd first.
goto :fail

:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Correct the cause and run this script again, or run rollback-proxy.cmd to go back.
endlocal
exit /b 1


