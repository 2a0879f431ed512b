@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Puts rabbitmq.config in place and restarts RabbitMQ
rem Made by cbgen for PLANT-CB1, bundle acme-plant 2026.12.0-rc.1. Change the inventory, not this file.
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

set "STEP=check that this is PLANT-CB1"
if /i "%COMPUTERNAME%"=="PLANT-CB1" goto :right_server
echo This script was made for PLANT-CB1; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=create the folder for saved state"
set "STATE=%ProgramData%\cbgen\acme-plant\2026.12.0-rc.1\rabbitmq"
if exist "%STATE%\." goto :folder_ready
mkdir "%STATE%"
if not "%errorlevel%"=="0" goto :fail
:folder_ready
rem What is saved here may hold passwords: old federation addresses often do. Only the system and administrators read it.
"%SYSTEM%\icacls.exe" "%STATE%" /inheritance:r /grant:r "*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F" >nul
if not "%errorlevel%"=="0" goto :fail

set "SBIN=E:\Callback\RabbitMQ Server\rabbitmq_server-3.8.1\sbin"
set "CTL=%SBIN%\rabbitmqctl.bat"
set "PLUGINS=%SBIN%\rabbitmq-plugins.bat"
set "CONFIG=E:\Callback\RabbitMQ Server\rabbitmq.config"
set "REG=%SYSTEM%\reg.exe"
set "STEP=find the tools of RabbitMQ in %SBIN%"
if not exist "%CTL%" goto :fail
if not exist "%PLUGINS%" goto :fail

rem The tools must use the folder the service uses, else they change files the broker never reads.
set "STEP=ask the service RabbitMQ for its folder"
call :read_service
if not "%errorlevel%"=="0" goto :fail
set "RABBITMQ_CONFIG_FILE=%CONFIG%"
rem Either of these would open the plain port again.
set "RABBITMQ_NODE_PORT="
set "RABBITMQ_NODE_IP_ADDRESS="

set "STEP=see that preflight.cmd has saved the old state"
if not exist "%STATE%\captured.txt" goto :fail


rem With the new file only certificates log in. Without plugin or users nobody could.
set "STEP=see that apply-users.cmd was run: the plugin is enabled"
"%SYSTEM%\findstr.exe" /c:"rabbitmq_auth_mechanism_ssl" "%RABBITMQ_BASE%\enabled_plugins" >nul
if not "%errorlevel%"=="0" goto :fail
set "STEP=see that apply-users.cmd was run: the user OU=Callback,O=Acme,C=US exists"
call "%CTL%" -q list_user_permissions "OU=Callback,O=Acme,C=US" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=put rabbitmq.config in place"
if not exist "%~dp0rabbitmq.config" goto :fail
copy /y "%~dp0rabbitmq.config" "%CONFIG%" >nul
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\fc.exe" /b "%~dp0rabbitmq.config" "%CONFIG%" >nul
if not "%errorlevel%"=="0" goto :fail

set "STEP=stop RabbitMQ"
call :stop_broker
if not "%errorlevel%"=="0" goto :fail

rem The service remembers its configuration file and listeners from the day it was installed.
set "STEP=install the service again, so that it reads the file"
"%SYSTEM%\findstr.exe" /c:"tcp_listeners" "%STATE%\service.txt" >nul
if "%errorlevel%"=="0" goto :install
"%SYSTEM%\findstr.exe" /i /l /c:"E:/Callback/RabbitMQ Server/rabbitmq.config" "%STATE%\service.txt" >nul
if "%errorlevel%"=="0" goto :installed
:install
call "%SBIN%\rabbitmq-service.bat" install
if not "%errorlevel%"=="0" goto :fail
set "STEP=see that the service reads the file now"
call :read_service
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /i /l /c:"E:/Callback/RabbitMQ Server/rabbitmq.config" "%STATE%\service.txt" >nul
if not "%errorlevel%"=="0" goto :fail
:installed

set "STEP=start RabbitMQ and wait until it answers"
call :start_broker
if not "%errorlevel%"=="0" goto :fail

set "STEP=see that the broker listens on port 5671 with TLS only"
call "%CTL%" -q eval "[] = [L || L <- rabbit_networking:active_listeners(), element(3, L) =:= amqp], [_ | _] = [ok || L <- rabbit_networking:active_listeners(), element(3, L) =:= 'amqp/ssl', element(6, L) =:= 5671], ok."
if not "%errorlevel%"=="0" goto :fail

echo RabbitMQ runs with the new configuration, listening on port 5671 for AMQP over TLS only.
endlocal
exit /b 0

:stop_broker
set "TRIES="
rem unchecked: it also fails when the service is stopped already; the loop below looks
"%SYSTEM%\net.exe" stop RabbitMQ >nul 2>&1
:stopping
"%SYSTEM%\sc.exe" query RabbitMQ >"%STATE%\state.txt"
if not "%errorlevel%"=="0" exit /b 1
"%SYSTEM%\findstr.exe" /c:"STOPPED" "%STATE%\state.txt" >nul
if "%errorlevel%"=="0" exit /b 0
set "TRIES=%TRIES%x"
if "%TRIES%"=="xxxxxxxxxxxxxxxxxxxxxxxx" exit /b 1
"%SYSTEM%\ping.exe" -n 6 127.0.0.1 >nul
if not "%errorlevel%"=="0" exit /b 1
goto :stopping

:start_broker
set "TRIES="
rem unchecked: a slow start makes it fail although the service comes up; the loop below looks
"%SYSTEM%\net.exe" start RabbitMQ >nul 2>&1
:starting
call "%CTL%" -q list_vhosts >nul 2>&1
if "%errorlevel%"=="0" exit /b 0
set "TRIES=%TRIES%x"
if "%TRIES%"=="xxxxxxxxxxxxxxxxxxxxxxxx" exit /b 1
"%SYSTEM%\ping.exe" -n 6 127.0.0.1 >nul
if not "%errorlevel%"=="0" exit /b 1
goto :starting

:read_service
set "KEY=HKLM\SOFTWARE\Ericsson\Erlang\ErlSrv\1.1\RabbitMQ"
set "VIEW=/reg:64"
"%REG%" query "%KEY%" "%VIEW%" >"%STATE%\service.txt" 2>nul
if "%errorlevel%"=="0" goto :service_read
set "VIEW=/reg:32"
"%REG%" query "%KEY%" "%VIEW%" >"%STATE%\service.txt" 2>nul
if not "%errorlevel%"=="0" exit /b 1
:service_read
"%SYSTEM%\findstr.exe" /c:" WorkDir " "%STATE%\service.txt" >"%STATE%\workdir.txt"
if not "%errorlevel%"=="0" exit /b 1
set "RABBITMQ_BASE="
for /f "usebackq tokens=2,*" %%A in ("%STATE%\workdir.txt") do set "RABBITMQ_BASE=%%B"
if not defined RABBITMQ_BASE exit /b 1
if not exist "%RABBITMQ_BASE%\." exit /b 1
exit /b 0


:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Run rollback-rabbitmq.cmd to go back.
endlocal
exit /b 1


