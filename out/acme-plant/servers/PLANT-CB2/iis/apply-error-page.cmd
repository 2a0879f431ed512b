@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Sets the error page of the IIS site
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

set "STEP=create the folder for saved state"
set "STATE=%ProgramData%\cbgen\acme-plant\2026.12.0-rc.1\error-page"
if exist "%STATE%\." goto :state_ready
mkdir "%STATE%"
if not "%errorlevel%"=="0" goto :fail
:state_ready

set "APPCMD=%SYSTEM%\inetsrv\appcmd.exe"
set "SITE=Callback"
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

rem The first run saves the values of before; a later run must not save its own over them.
if exist "%STATE%\captured.txt" goto :captured
set "STEP=back up the configuration of IIS"
"%APPCMD%" list backup "cbgen-acme-plant-2026.12.0-rc.1-error-page" >nul
if "%errorlevel%"=="0" goto :backup_ready
echo Backup of all of IIS, for the last resort: cbgen-acme-plant-2026.12.0-rc.1-error-page
"%APPCMD%" add backup "cbgen-acme-plant-2026.12.0-rc.1-error-page" >nul
if not "%errorlevel%"=="0" goto :fail
:backup_ready

set "STEP=save errorMode"
call :attribute "errorMode"
if not "%errorlevel%"=="0" goto :fail
copy /y "%STATE%\now.txt" "%STATE%\errorMode.txt" >nul
if not "%errorlevel%"=="0" goto :fail
set "STEP=save defaultResponseMode"
call :attribute "defaultResponseMode"
if not "%errorlevel%"=="0" goto :fail
copy /y "%STATE%\now.txt" "%STATE%\defaultResponseMode.txt" >nul
if not "%errorlevel%"=="0" goto :fail
set "STEP=save defaultPath"
call :attribute "defaultPath"
if not "%errorlevel%"=="0" goto :fail
copy /y "%STATE%\now.txt" "%STATE%\defaultPath.txt" >nul
if not "%errorlevel%"=="0" goto :fail
set "STEP=note that the old values are saved"
echo saved>"%STATE%\captured.txt"
if not exist "%STATE%\captured.txt" goto :fail
if not exist "%STATE%\rolled-back.txt" goto :captured
del "%STATE%\rolled-back.txt"
if exist "%STATE%\rolled-back.txt" goto :fail
:captured

set "STEP=set the error page"
"%APPCMD%" set config "%SITE%" -section:system.webServer/httpErrors -errorMode:"Custom" -defaultResponseMode:"Redirect" -defaultPath:"https://callback.plant.acme.example/EyeQueue/EyeQErrorPage.aspx" /commit:apphost
if not "%errorlevel%"=="0" goto :fail

set "STEP=read errorMode back"
call :attribute "errorMode"
if not "%errorlevel%"=="0" goto :fail
if not "%VALUE%"=="Custom" goto :fail
set "STEP=read defaultResponseMode back"
call :attribute "defaultResponseMode"
if not "%errorlevel%"=="0" goto :fail
if not "%VALUE%"=="Redirect" goto :fail
set "STEP=read defaultPath back"
call :attribute "defaultPath"
if not "%errorlevel%"=="0" goto :fail
if not "%VALUE%"=="https://callback.plant.acme.example/EyeQueue/EyeQErrorPage.aspx" goto :fail
echo The error page is set.
endlocal
exit /b 0

rem Reads one attribute of the section into VALUE.
:attribute
set "VALUE="
"%APPCMD%" list config "%SITE%" -section:system.webServer/httpErrors "/text:%~1" >"%STATE%\now.txt"
if not "%errorlevel%"=="0" exit /b 1
for /f "usebackq delims=" %%A in ("%STATE%\now.txt") do set "VALUE=%%A"
exit /b 0


:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Correct the cause and run this script again, or run servers\PLANT-CB2\iis\rollback-error-page.cmd to go back.
endlocal
exit /b 1


